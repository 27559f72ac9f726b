/** What must not get into a record. Every secret below is made up. */
import assert from 'node:assert/strict'
import { isSecretName, redact, redactArguments, redactText } from '../../../src/core/redact.ts'
import { ENDLESS, NO_SECRETS, SECRET, SECRET_FORMS } from './secret-forms.ts'

const join = (...parts: string[]): string => parts.join('')

describe('Redaction', () => {
  it('takes out tokens that announce themselves', () => {
    const secrets = [
      join('AK', 'IAIOSFODNN7EXAMPLE'),
      join('gh', 'p_', 'a'.repeat(36)),
      join('github', '_pat_', 'B'.repeat(30)),
      join('xo', 'xb-', '123456789012-abcdefghij'),
      join('hf', '_', 'c'.repeat(34)),
      join('s', 'k-', 'd'.repeat(48)),
      join('AI', 'za', 'e'.repeat(35)),
      join('ey', 'JhbGciOiJIUzI1NiJ9.ey', 'JzdWIiOiIxIn0.', 'f'.repeat(20)),
    ]
    for (const secret of secrets) {
      const { text, count } = redact(`x = "${secret}" # used here`)
      assert.ok(!text.includes(secret.slice(6)), text)
      assert.equal(count, 1, text)
    }
  })

  it('takes out values that are named as secrets, in code and in configuration', () => {
    for (const line of [
      '+password = "hunter2hunter2"',
      "DB_PASSWORD: 'hunter2hunter2'",
      'API_KEY=hunter2hunter2',
      '+  api_key: hunter2hunter2',
      'os.environ["AWS_SECRET_ACCESS_KEY"] = "hunter2hunter2"',
      '"authToken": "hunter2hunter2"',
      'Authorization: Bearer hunter2hunter2',
      'postgres://ada:hunter2hunter2@db/prod',
      'https://hunter2hunter2@host/repo.git',
      '-----BEGIN RSA PRIVATE KEY-----\nhunter2hunter2\n-----END RSA PRIVATE KEY-----',
    ]) {
      const { text, count } = redact(line)
      assert.ok(!text.includes('hunter2'), text)
      assert.ok(count >= 1, line)
    }
  })

  for (const form of SECRET_FORMS) {
    it(`takes the secret out of ${JSON.stringify(form)}`, () => {
      const { text, count } = redact(form)
      assert.ok(!text.includes(SECRET) && count >= 1, text)
      assert.ok(!redactText(form).includes(SECRET))
    })
  }

  for (const source of NO_SECRETS) {
    it(`changes nothing in ${JSON.stringify(source)}`, () => {
      assert.deepEqual(redact(source), { text: source, count: 0 })
    })
  }

  it('keeps the code around a secret as it is', () => {
    assert.equal(redact(`f(a, password=b"${SECRET}", c="d")`).text, 'f(a, password=b"[redacted]", c="d")')
    assert.equal(redact(`"host=db password=${SECRET} dbname=x"`).text, '"host=db password=[redacted] dbname=x"')
    assert.equal(
      redact(`"a = \\"b\\", api_key = \\"${SECRET}\\"\\n"`).text,
      '"a = \\"b\\", api_key = \\"[redacted]\\"\\n"',
    )
    assert.equal(
      redact('https://conda.anaconda.org/t/tk-1/main/linux-64/x-1.conda').text,
      'https://conda.anaconda.org/t/[redacted]/main/linux-64/x-1.conda',
    )
  })

  it('takes what is said of a password out of a note, and leaves prose about passwords', () => {
    for (const note of [
      'password is hunter2',
      'the passphrase was letmein!',
      'password:hunter2',
      'API key is abc123def',
    ]) {
      assert.match(redactText(note), /^(the )?\w+( key)?( is | was |:)\[redacted\]/)
    }
    for (const note of [
      'password is required',
      'the token is missing',
      'the secret is patience',
      'password was changed.',
      'arn:aws:secretsmanager:eu:1:secret:name',
    ])
      assert.equal(redactText(note), note)
  })

  it('is done at once with endless lines', function () {
    this.timeout(120_000)
    for (const piece of ENDLESS) {
      const endless = piece.repeat(Math.ceil(100_000 / piece.length))
      for (const text of [endless, `password = "${endless}`, `x = "${endless}"`]) redactText(text)
    }
  })

  it('leaves ordinary code alone', () => {
    for (const line of [
      '+tokenizer = AutoTokenizer.from_pretrained(name)',
      '+token_count = len(tokens)',
      '+password = os.environ["PASSWORD"]',
      '+key = (row, column)',
      '+max_tokens: 512',
      '+# a secret ingredient: patience',
      '+http://example.com:8080/path',
      '+model.fit(X, y)  # see user@example.com',
    ]) {
      assert.deepEqual(redact(line), { text: line, count: 0 })
    }
  })

  it('takes out the value of a secret flag, however it is written', () => {
    assert.deepEqual(
      redactArguments([
        'train.py',
        '--password',
        'hunter2',
        '--api-key=hunter2',
        'TOKEN=hunter2',
        '--lr',
        '0.1',
        '--token',
      ]),
      ['train.py', '--password', '[redacted]', '--api-key=[redacted]', 'TOKEN=[redacted]', '--lr', '0.1', '--token'],
    )
  })

  it('takes out passwords of programs that have a flag of their own for it', () => {
    assert.deepEqual(redactArguments(['mysql', '-u', 'root', '-phunter2', 'db']), [
      'mysql',
      '-u',
      'root',
      '-p[redacted]',
      'db',
    ])
    assert.deepEqual(redactArguments(['sshpass', '-p', 'hunter2', 'ssh', '-p', '22']), [
      'sshpass',
      '-p',
      '[redacted]',
      'ssh',
      '-p',
      '22',
    ])
    assert.deepEqual(redactArguments(['train.py', '-p', '3', '-plot']), ['train.py', '-p', '3', '-plot'])
  })

  it('takes out what grants access in URLs, assignments and user names, wherever they stand in a command', () => {
    const words = redactArguments([
      'curl',
      '-u',
      'bob:hunter2',
      'https://h/x?token=hunter2&sig=hunter2&page=2',
      'PGPASSWORD=hunter2',
      'postgres://u:hun@ter:hunter2@h/d',
      '-u',
      'train.py',
    ])
    assert.ok(!words.join(' ').includes('hunter2'), words.join(' '))
    assert.deepEqual(words.slice(-3), ['postgres://h/d', '-u', 'train.py'])
    assert.equal(words[3], 'https://h/x?token=[redacted]&sig=[redacted]&page=2')
    const said = redactText('see https://u:hunter2@h/p, password: hunter2 and api_key=hunter2; lr=0.1')
    assert.equal(said, 'see https://h/p, password: [redacted] and api_key=[redacted]; lr=0.1')
  })

  it('takes out the value of a secret flag in a sentence, a script, and a patch', () => {
    assert.equal(
      redactText('sh -c python t.py --password hunter2 --lr 1'),
      'sh -c python t.py --password [redacted] --lr 1',
    )
    assert.equal(
      redactText('it ran with --api-key=hunter2; then it ended'),
      'it ran with --api-key=[redacted]; then it ended',
    )
    assert.equal(redactText("--token 'a b' x"), '--token [redacted] x')
    assert.equal(redact('+python t.py --password hunter2 --lr 1').text, '+python t.py --password [redacted] --lr 1')
    for (const line of [
      'use --token to log in',
      '--max-tokens 512',
      '--token $TOKEN',
      '--password {password}',
      '--token-file a1',
    ]) {
      assert.equal(redact(line).text, line)
    }
    assert.equal(redactText('--token $TOKEN --lr 0.1'), '--token $TOKEN --lr 0.1')
  })

  it('knows names of secrets from those of tokens of text', () => {
    for (const name of [
      'password',
      'DB_PASSWD',
      'PGPASSWORD',
      'client-secret',
      'api_key',
      'awsSecretAccessKey',
      'hf_token',
      'credentials',
    ])
      assert.ok(isSecretName(name), name)
    for (const name of [
      'pad_token',
      'max_tokens',
      'tokenizer',
      'tokens',
      'key',
      'secret_name',
      'passes',
      'monkey',
      'n_token',
    ])
      assert.ok(!isSecretName(name), name)
  })
})
