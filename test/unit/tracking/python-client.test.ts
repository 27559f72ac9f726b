/**
 * The Python client against the program: two implementations of docs/store-format.md that must read each other, byte
 * for byte. What the client promises to scripts is tested in test/python/client, which the last test runs.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { canonicalBytes, canonicalJson } from '../../../src/core/canonical-json.ts'
import { sha256 } from '../../../src/core/digest.ts'
import { isSecretName, redact, redactArguments, redactText } from '../../../src/core/redact.ts'
import * as rules from '../../../src/core/redact-rules.ts'
import { openStore } from '../../../src/store/open.ts'
import { openSealed, seal } from '../../../src/store/sealed.ts'
import { verifyStore } from '../../../src/store/verify.ts'
import { ENV_ALLOWED } from '../../../src/tracking/capture/environment.ts'
import { needsPython, PYTHON } from '../../support/python.ts'
import { ENDLESS, NO_SECRETS, SECRET_FORMS } from './secret-forms.ts'
import { CLIENT, ROOT, type Workshop, workshop } from './support.ts'

const TESTS = join(ROOT, 'test/python/client')
const python = (args: readonly string[], options: { cwd?: string; input?: string; env?: NodeJS.ProcessEnv } = {}) =>
  execFileSync(PYTHON, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...options,
    env: {
      PATH: '/usr/bin:/bin',
      HOME: process.env.HOME,
      PYTHONPATH: CLIENT,
      PYTHONDONTWRITEBYTECODE: '1',
      ...options.env,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  })

/** A value, and the JSON from which Python builds the same one. */
type Case = null | boolean | { f: string } | { i: string } | { s: number[] } | { l: Case[] } | { o: [Case, Case][] }

describe('The Python client and the program', () => {
  before(function () {
    needsPython(this)
  })

  it('write the same canonical JSON, for every kind of number and text', () => {
    const cases = [...corners(), ...randomCases(20_000)]
    const mine = cases.map((each) => {
      try {
        return canonicalJson(builtFrom(each))
      } catch (error) {
        assert.ok(error instanceof TypeError)
        return 'TypeError'
      }
    })
    const input = cases.map((each) => JSON.stringify(each)).join('\n')
    const theirs = python([join(TESTS, 'canonical_lines.py')], {
      input: `${input}\n`,
      env: { PYTHONIOENCODING: 'utf-8' },
    })
    const lines = theirs.split('\n').slice(0, -1)
    assert.equal(lines.length, mine.length)
    for (const [index, line] of lines.entries()) assert.equal(line, mine[index], JSON.stringify(cases[index]))
    assert.ok(mine.includes('TypeError') && mine.some((line) => line !== 'TypeError'))
  })

  it('allow the same environment variables', () => {
    const code = 'import json; from mlops._environment import ENV_ALLOWED; print(json.dumps(ENV_ALLOWED))'
    assert.deepEqual(JSON.parse(python(['-c', code])), [...ENV_ALLOWED])
  })

  it('take the same secrets out of arguments, text and parameters', () => {
    const words = [
      '-u',
      'bob:pw',
      'PGPASSWORD=x',
      '--token',
      'x',
      '--pad-token',
      '<pad>',
      'https://u:p@h/?sig=1&a=b',
      '--api-key=é ü',
      '-u',
      't.py',
      'password: x',
    ]
    const names = [
      'password',
      'apiKey',
      'pad_token',
      'tokens',
      'max_token',
      'client_secret',
      'secret_name',
      'hf_token',
      'depth',
    ]
    const code = [
      'import json, sys; from mlops._redact import *',
      'words, names = json.load(sys.stdin)',
      'print(json.dumps([redact_arguments(words), [is_secret_name(n) for n in names], redact_text(" ".join(words))]))',
    ].join('\n')
    const theirs: unknown = JSON.parse(python(['-c', code], { input: JSON.stringify([words, names]) }))
    assert.deepEqual(theirs, [redactArguments(words), names.map(isSecretName), redactText(words.join(' '))])
  })

  it('have the same patterns for secrets, letter by letter', () => {
    const code = [
      'import json; from mlops import _redact_rules as r',
      'shown = lambda v: [sorted(v)] if isinstance(v, frozenset) else [[e.source, e.flags] for e in (v if isinstance(v, list) else [v])]',
      'print(json.dumps({k: shown(v) for k, v in vars(r).items() if k.isupper() and k[0] != "_"}))',
    ].join('\n')
    const mine = Object.entries(rules).map(([name, value]) => {
      if (value instanceof Set) return [name, [[...value].sort()]]
      const each = value instanceof RegExp ? [value] : value
      return [
        name,
        each.map(({ source, flags }) => [source.replaceAll('\\/', '/'), flags.replace('g', '').replace('mi', 'im')]),
      ]
    })
    const theirs: unknown = JSON.parse(python(['-c', code], { env: { PYTHONIOENCODING: 'utf-8' } }))
    assert.deepEqual(theirs, Object.fromEntries(mine))
  })

  it('take the same secrets out of code and prose, and are done at once with endless lines', () => {
    const texts = [
      ...SECRET_FORMS,
      ...NO_SECRETS,
      SECRET_FORMS.join('\n'),
      'password is hunter2',
      'password is required',
    ]
    const more = [
      ['mysql', '-phunter2'],
      ['sshpass', '-p', 'a', 'ssh', '-p', '22'],
      ['a', '-p', 'b'],
    ]
    const code = [
      'import json, sys; from mlops._redact import *',
      'texts, more, endless = json.load(sys.stdin)',
      'print(json.dumps([[redact(t) for t in texts], [redact_text(t) for t in texts], [redact_arguments(w) for w in more]]))',
      'for piece in endless:',
      "    redact_text(piece * (20000 // len(piece))); redact_text('password = \"' + piece * (20000 // len(piece)))",
    ].join('\n')
    const theirs: unknown = JSON.parse(python(['-c', code], { input: JSON.stringify([texts, more, ENDLESS]) }))
    assert.deepEqual(theirs, [texts.map((text) => redact(text).text), texts.map(redactText), more.map(redactArguments)])
  })

  describe('in one store', () => {
    let shop: Workshop
    beforeEach(async () => {
      shop = await workshop({ 'mlops.yaml': 'models:\n  churn-model:\n    artifact: model.bin\n' })
    })
    afterEach(async () => {
      const report = await verifyStore(shop.store.root)
      shop.remove()
      assert.deepEqual([report.damages, report.warnings], [[], []])
    })
    const SCRIPT = [
      'import mlops, math',
      'with mlops.track("churn-model", tags=["nightly"]) as run:',
      '    run.log_metric("auc", 0.9123456789012345)',
      '    run.log_metric("odd", math.nan)',
      '    run.log_metrics({"ä/ß": 1e21, "big": 2**60}, step=3)',
      '    run.log_params({"depth": 4, "name": "ü\\u2028", "none": None, "list": [1, 2]})',
      '    open("model.bin", "w").write("weights")',
      '    run.register(stage="staging", tags=["candidate"], message="first")',
      '    mlops.monitor("churn-model").set_baseline({"a": [1, 2, 3]})',
      '    print("auc: 0.91")',
      '',
    ].join('\n')

    it('a run made by Python alone is read by the program', async () => {
      shop.write('train.py', SCRIPT)
      python(['train.py'], { cwd: shop.root })
      const [id = ''] = await shop.store.runs.list()
      const { start, end } = await shop.store.runs.read(id)
      assert.deepEqual([start.model, start.source, start.cwd, end?.status], ['churn-model', 'python', '.', 'finished'])
      assert.deepEqual(end?.metrics, { auc: 0.9123456789012345, odd: 'NaN', 'ä/ß': 1e21, big: String(2n ** 60n) })
      assert.deepEqual(end?.params, { depth: 4, name: 'ü\u2028', none: null, list: '[1, 2]' })
      assert.deepEqual(end?.tags, ['nightly'])
      assert.deepEqual(end?.artifacts, [{ path: 'model.bin', sha256: sha256('weights'), size: 7 }])
      assert.equal((await shop.store.objects.read(sha256('weights'))).toString(), 'weights')
      const intents = await shop.store.runs.intents(id)
      assert.deepEqual(intents.map(({ kind }) => kind).sort(), ['baseline', 'register'])
      await shop.store.runs.pin(id)
    })

    it('a run that Python attached to is ended by the program, with what both recorded', async () => {
      shop.write('train.py', SCRIPT)
      const run = await shop.track([PYTHON, 'train.py'])
      assert.equal(run.exitCode, 0, run.stderr)
      // Logged by the client, so the rounded number on stdout does not count.
      assert.equal(run.end.metrics.auc, 0.9123456789012345)
      assert.deepEqual([run.end.model, run.start.model], ['churn-model', 'churn-model'])
      assert.deepEqual(
        run.end.artifacts.map(({ path }) => path),
        ['model.bin'],
      )
      assert.equal((await shop.store.runs.list()).length, 1)
      const [client] = await shop.store.runs.clients(run.runId)
      assert.deepEqual([client?.model, client?.python.executable], ['churn-model', PYTHON])
      assert.equal((await shop.store.runs.intents(run.runId)).length, 2)
    })

    it('a plain script takes as long as its process, and stores neither secrets nor what a link leads out to', async () => {
      shop.write('out/model.bin', 'weights')
      symlinkSync('/etc/hostname', join(shop.root, 'out/leak'))
      shop.write(
        'train.py',
        'import time; time.sleep(1)\nimport mlops\nwith mlops.track("churn-model", params={"api_token": "hunter2"}) as run:\n    run.log_artifact("out")\n',
      )
      const { stderr } = spawnSync(PYTHON, ['train.py'], {
        cwd: shop.root,
        env: { PATH: '/usr/bin:/bin', PYTHONPATH: CLIENT, PYTHONDONTWRITEBYTECODE: '1' },
        encoding: 'utf8',
      })
      const [id = ''] = await shop.store.runs.list()
      const { end } = await shop.store.runs.read(id)
      assert.ok((end?.duration ?? 0) >= 1, String(end?.duration))
      assert.deepEqual(end?.params, { api_token: '[redacted]' })
      assert.deepEqual(
        end?.artifacts.map(({ path }) => path),
        ['out/model.bin'],
      )
      assert.match(stderr, /out\/leak was not recorded: it leads out of the folder out, to \/etc\/hostname/)
      assert.match(stderr, /api_token looks like a secret/)
    })

    it('a failing script under track leaves a failed run', async () => {
      shop.write(
        'train.py',
        'import mlops\nwith mlops.track("churn-model") as run:\n    run.log_metric("a", 1)\n    raise ValueError\n',
      )
      const run = await shop.track([PYTHON, 'train.py'])
      assert.deepEqual([run.exitCode, run.end.status, run.end.metrics], [1, 'failed', { a: 1 }])
    })

    it('a damaged object is replaced by whoever writes the same bytes next', async () => {
      const { sha256: digest } = await shop.store.objects.put(Buffer.from('weights'))
      const path = join(shop.store.root, 'objects/sha256', digest.slice(0, 2), digest.slice(2))
      execFileSync('chmod', ['u+w', path])
      writeFileSync(path, 'WEIGHTS')
      shop.write('train.py', SCRIPT)
      python(['train.py'], { cwd: shop.root })
      assert.equal((await shop.store.objects.read(digest)).toString(), 'weights')
    })

    it('a store that Python made is opened by the program', async () => {
      shop.write('mlops.yaml', 'store: second\n')
      shop.write('train.py', 'import mlops\nmlops.log_metric("a", 1)\n')
      python(['train.py'], { cwd: shop.root })
      const second = await openStore(join(shop.root, 'second'), { write: true })
      assert.equal((await second.runs.list()).length, 1)
      const report = await verifyStore(second.root)
      assert.deepEqual([report.damages, report.warnings], [[], []])
    })

    it('records that Python wrote are sealed as the program seals them', async () => {
      shop.write('train.py', SCRIPT)
      python(['train.py'], { cwd: shop.root })
      const [id = ''] = await shop.store.runs.list()
      const folder = join(shop.store.root, 'runs', id)
      for (const name of ['run.json', 'end.json', `intents/${readdirSync(join(folder, 'intents'))[0]}`]) {
        const bytes = readFileSync(join(folder, name))
        assert.ok(seal(openSealed(bytes) ?? {}).equals(bytes), name)
      }
      for (const line of readFileSync(join(folder, 'metrics', readdirSync(join(folder, 'metrics'))[0] ?? ''), 'utf8')
        .trim()
        .split('\n')) {
        assert.equal(canonicalBytes(JSON.parse(line)).toString().trim(), line)
      }
    })

    it('finds the same project and store from a sub-folder and from a linked worktree', async () => {
      const code =
        'import os; from mlops._project import find_project; p = find_project(os.getcwd(), {}); print(p.root, p.store)'
      shop.write('a/b/x.py', '')
      assert.equal(python(['-c', code], { cwd: join(shop.root, 'a/b') }), `${shop.root} ${shop.store.root}\n`)
      const git = (...args: string[]) =>
        execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: shop.root, stdio: 'ignore' })
      git('init', '-q')
      git('add', 'mlops.yaml')
      git('commit', '-q', '-m', 'x')
      git('worktree', 'add', '-q', 'linked')
      const linked = join(shop.root, 'linked')
      assert.equal(python(['-c', code], { cwd: linked }), `${linked} ${shop.store.root}\n`)
    })
  })

  it('keep what the client promises to scripts', function () {
    this.timeout(300_000)
    const { status, stdout, stderr } = spawnSync(
      PYTHON,
      ['-m', 'pytest', '-q', '-rs', '-p', 'no:cacheprovider', TESTS],
      {
        encoding: 'utf8',
        env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
      },
    )
    assert.equal(status, 0, `${stdout}\n${stderr}`)
    // Without a PostgreSQL server its tests say so; nothing else may be left out.
    const skipped = stdout.match(/^SKIPPED.*$/gm) ?? []
    assert.deepEqual(
      skipped.filter((line) => !line.includes('PostgreSQL server is not installed')),
      [],
    )
  })
})

function corners(): Case[] {
  const numbers = [
    0,
    -0,
    1,
    -1,
    0.1,
    1e21,
    1e20,
    1e-6,
    1e-7,
    5e-324,
    1.7976931348623157e308,
    2 ** 53,
    2 ** 53 - 1,
    -(2 ** 53),
  ]
  numbers.push(123456789012345680000, 1e22, 0.000001234, 1.5e-9, 100, 1e16, 4.35, Number.NaN, Infinity, -Infinity)
  const integers = [
    '0',
    '-7',
    '9007199254740991',
    '9007199254740992',
    '-9007199254740992',
    '123456789012345678901234567890',
  ]
  const texts = [
    '',
    'plain',
    '"\\/\b\f\n\r\t',
    '\u0000\u001f\u007f',
    'ä€\u2028\u2029',
    '😀',
    '\ud800',
    'a\udc00b',
    '\uffff',
  ]
  return [
    null,
    true,
    false,
    ...numbers.map(double),
    ...integers.map((i) => ({ i })),
    ...texts.map(text),
    { l: [] },
    { o: [] },
    // By UTF-16 code units 😀 (d83d) sorts before U+FB01; by code points it would come after.
    { o: ['ﬁ', '😀', 'a', 'B', '10', '9', 'ä', ''].map((key) => [text(key), double(1)]) },
  ]
}

/** The same on every run: a test that fails must fail again. */
function randomCases(count: number): Case[] {
  let state = 0x9e3779b9
  const next = (below: number): number => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) | 0
    return ((state ^ (state >>> 13)) >>> 0) % below
  }
  const pick = (depth: number): Case => {
    const kind = next(depth > 3 ? 5 : 7)
    if (kind === 0) return [null, true, false][next(3)] as Case
    if (kind === 1) return { f: Array.from({ length: 16 }, () => next(16).toString(16)).join('') }
    if (kind === 2) return double((next(2_000_001) - 1_000_000) / 10 ** next(12))
    if (kind === 3)
      return {
        i: `${next(2) === 0 ? '-' : ''}${1 + next(9)}${Array.from({ length: next(20) }, () => next(10)).join('')}`,
      }
    if (kind === 4)
      return { s: Array.from({ length: next(6) }, () => [next(0x80), next(0x800), next(0x10000)][next(3)] ?? 0) }
    if (kind === 5) return { l: Array.from({ length: next(4) }, () => pick(depth + 1)) }
    const keys = new Set(Array.from({ length: next(5) }, () => String.fromCharCode(next(0xd800), next(0xd800))))
    return { o: [...keys].map((key) => [text(key), pick(depth + 1)]) }
  }
  return Array.from({ length: count }, () => pick(0))
}

function double(value: number): Case {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return { f: bytes.toString('hex') }
}

const text = (value: string): Case => ({ s: Array.from({ length: value.length }, (_, at) => value.charCodeAt(at)) })

function builtFrom(built: Case): unknown {
  if (built === null || typeof built === 'boolean') return built
  if ('f' in built) return Buffer.from(built.f, 'hex').readDoubleBE()
  if ('i' in built) return BigInt(built.i)
  if ('s' in built) return String.fromCharCode(...built.s)
  if ('l' in built) return built.l.map(builtFrom)
  return Object.fromEntries(built.o.map(([key, value]) => [String(builtFrom(key)), builtFrom(value)]))
}
