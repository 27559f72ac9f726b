/** The issue on GitHub, on a receiver that keeps issues as the REST API does. */
import assert from 'node:assert/strict'
import { deliver } from '../../../src/notify/deliver.ts'
import { testChannels } from '../../../src/notify/test-message.ts'
import type { Alert } from '../../../src/notify/types.ts'
import { type Answer, alert, context, type Got, quickWire, type Receiver, receiver, worstAlert } from './support.ts'

const TOKEN = 'a-token-of-github-0123456789'

interface Issue {
  number: number
  title: string
  body: string
  state: string
  labels: { name: string }[]
  comments: string[]
  pull_request?: object
}

/** docs.github.com/rest/issues: list, create, update, comment; pages of `size`. */
function gitHub(issues: Issue[], size = 100): (got: Got) => Answer {
  return ({ method, path, headers, body }) => {
    assert.equal(headers.authorization, `Bearer ${TOKEN}`)
    assert.equal(headers.accept, 'application/vnd.github+json')
    assert.equal(headers['x-github-api-version'], '2022-11-28')
    assert.match(String(headers['user-agent']), /^mlops\//)
    const url = new URL(path, `http://${headers.host}`)
    const content = body === '' ? undefined : JSON.parse(body)
    if (content?.title !== undefined) assert.ok(content.title.length <= 256)
    if (content?.body !== undefined) assert.ok(content.body.length <= 65_536 && content.body.length > 0)
    const json = (status: number, data: unknown, more: Record<string, string> = {}): Answer => ({
      status,
      body: JSON.stringify(data),
      headers: more,
    })
    if (method === 'GET' && url.pathname === '/repos/acme/ml/issues') {
      assert.equal(url.searchParams.get('labels'), 'mlops-alert')
      const open = issues.filter(
        ({ state, labels }) => state === 'open' && labels.some(({ name }) => name === 'mlops-alert'),
      )
      const page = Number(url.searchParams.get('page') ?? 1)
      url.searchParams.set('page', String(page + 1))
      const link = open.length > page * size ? { link: `<${url.href}>; rel="next", <${url.href}>; rel="last"` } : {}
      return json(200, open.slice((page - 1) * size, page * size), link)
    }
    if (method === 'POST' && url.pathname === '/repos/acme/ml/issues') {
      const made = {
        number: issues.length + 1,
        state: 'open',
        comments: [],
        ...content,
        labels: content.labels.map((name: string) => ({ name })),
      }
      issues.push(made)
      return json(201, made)
    }
    const [, number, comments] = /^\/repos\/acme\/ml\/issues\/(\d+)(\/comments)?$/.exec(url.pathname) ?? []
    const issue = issues.find((each) => each.number === Number(number))
    if (issue === undefined) return json(404, { message: 'Not Found' })
    if (method === 'POST' && comments !== undefined) issue.comments.push(content.body)
    else if (method === 'PATCH') Object.assign(issue, content)
    else return json(405, {})
    return json(200, issue)
  }
}

describe('the issue on GitHub', () => {
  let api: Receiver
  let issues: Issue[]
  const begin = async (size?: number): Promise<void> => {
    issues = []
    api = await receiver(gitHub(issues, size))
  }
  beforeEach(() => begin())
  afterEach(() => api.close())
  const ctx = () => context({ GITHUB_API_URL: `${api.url}/`, GITHUB_REPOSITORY: 'acme/ml', GITHUB_TOKEN: TOKEN })
  const tell = async (part: Partial<Alert> = {}): Promise<void> => {
    const [sent] = await deliver(ctx(), alert(part), ['github'], { wire: quickWire().wire })
    assert.deepEqual(sent, { channel: 'github', delivered: true, attempts: 1 }, sent?.error)
  }

  it('is opened once, updated in place, and closed with a comment on recovery', async () => {
    await tell()
    assert.equal(issues.length, 1)
    assert.match(issues[0]?.body ?? '', /<!-- mlops:fingerprint [0-9a-f]{64} firing -->[\s\S]*tenure: median 12 -> 40/)
    await tell({ findings: ['tenure: median 12 -> 60'] })
    assert.match(issues[0]?.body ?? '', /12 -> 60/)
    assert.doesNotMatch(issues[0]?.body ?? '', /12 -> 40/)
    assert.deepEqual([issues.length, issues[0]?.comments.length, issues[0]?.state], [1, 0, 'open'])
    await tell({ state: 'recovered', title: 'churn-model@3 in production: the drift is over', findings: [] })
    assert.deepEqual([issues.length, issues[0]?.state, issues[0]?.comments.length], [1, 'closed', 1])
    assert.match(issues[0]?.comments[0] ?? '', /the drift is over/)
    await tell({ state: 'recovered' })
    assert.equal(issues.length, 1, 'a recovery opens nothing')
    await tell()
    assert.equal(issues.length, 2, 'new trouble is a new issue')
  })

  it('is one per model, open until every trouble of it is over', async () => {
    await tell()
    await tell({ kind: 'health', title: 'churn-model@3 in production: errors 4 %', findings: ['errors 4 %'] })
    await tell({ model: 'fraud', title: 'fraud@1: drift' })
    await tell({ model: 'fraud-2', title: 'fraud-2@1: drift' })
    assert.deepEqual(
      issues.map(({ title }) => title),
      ['[mlops] churn-model: 2 alerts', '[mlops] fraud: an alert', '[mlops] fraud-2: an alert'],
    )
    await tell({ state: 'recovered', findings: [] })
    assert.equal(issues[0]?.state, 'open')
    assert.match(issues[0]?.body ?? '', /errors 4 %/)
    await tell({ kind: 'health', state: 'recovered', findings: [] })
    assert.deepEqual([issues[0]?.state, issues[0]?.comments.length], ['closed', 3])
  })

  it('is found on a later page, and pull requests are passed over', async () => {
    await api.close()
    await begin(2)
    for (const model of ['a', 'b', 'c', 'd']) await tell({ model })
    issues.unshift({ ...(issues[3] as Issue), number: 99, pull_request: {} })
    await tell({ model: 'd', findings: ['again'] })
    assert.equal(issues.length, 5)
    assert.match(issues[4]?.body ?? '', /again/)
  })

  it('makes nobody a mention, no forged marker, and keeps the limits at its worst', async () => {
    await deliver(ctx(), worstAlert(), ['github'])
    const [issue] = issues
    const outside = (issue?.body ?? '').replace(/^(`{3,})text\n[\s\S]*?\n\1$/gm, '')
    assert.doesNotMatch(outside, /@org|<script|😀/)
    assert.equal(issue?.body.match(/<!-- mlops:end/g)?.length, 1)
    await deliver(ctx(), { ...worstAlert(), state: 'recovered' }, ['github'])
    assert.equal(issue?.state, 'closed')
  })

  it('waits where GitHub limits the rate, and gives up where it would take too long', async () => {
    await api.close()
    const keep = gitHub(issues)
    let answers: Answer[] = [
      { status: 403, body: '{"message":"You have exceeded a secondary rate limit"}' },
      { status: 429, headers: { 'retry-after': '3' } },
    ]
    api = await receiver((got) => answers.shift() ?? keep(got))
    const { wire, pauses } = quickWire()
    const [sent] = await deliver(ctx(), alert(), ['github'], { wire })
    assert.deepEqual([sent?.delivered, sent?.attempts, pauses], [true, 3, [60_000, 3_000]])
    const reset = String(Date.parse('2026-06-10T09:00:00.000Z') / 1000)
    // The clock of GitHub counts, not the one here.
    const date = 'Wed, 10 Jun 2026 08:00:01 GMT'
    answers = [{ status: 403, headers: { date, 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset } }]
    const [late] = await deliver(ctx(), alert(), ['github'], { wire })
    assert.deepEqual([late?.attempts, late?.error], [1, 'GitHub limits the rate; it asks to wait 3600 s'])
    answers = [{ status: 403, body: '{"message":"Resource not accessible by integration"}' }]
    const [denied] = await deliver(ctx(), alert(), ['github'], { wire })
    assert.deepEqual(
      [denied?.attempts, denied?.error],
      [1, 'the answer was 403: Resource not accessible by integration'],
    )
  })

  it('gives its token to no other place that a page names', async () => {
    await api.close()
    const thief = await receiver({ status: 200, body: '[]' })
    api = await receiver(({ method }) =>
      method === 'GET'
        ? { status: 200, body: '[]', headers: { link: `<${thief.url}/x>; rel="next"` } }
        : { status: 201, body: '{}' },
    )
    await deliver(ctx(), alert(), ['github'])
    await thief.close()
    assert.equal(thief.got.length, 0)
  })

  it('of a test is closed again at once', async () => {
    const [result] = await testChannels(ctx(), ['github'], 'churn-model')
    assert.equal(result?.delivered, true)
    assert.deepEqual([issues.length, issues[0]?.state], [1, 'closed'])
  })

  it('names the variable that is missing', async () => {
    const missing = async (env: Record<string, string>) =>
      (await deliver(context(env), alert(), ['github']))[0]?.missing
    assert.equal(await missing({}), 'MLOPS_GITHUB_TOKEN')
    assert.equal(await missing({ GITHUB_TOKEN: TOKEN }), 'GITHUB_REPOSITORY')
    assert.equal(await missing({ GITHUB_TOKEN: TOKEN, GITHUB_REPOSITORY: '../../user' }), 'GITHUB_REPOSITORY')
  })
})
