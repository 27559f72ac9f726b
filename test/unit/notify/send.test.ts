/** Fired and delivered are two records; a window is told once, by one of several processes. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Json } from '../../../src/core/canonical-json.ts'
import { failed } from '../../../src/core/errors.ts'
import { readAlerts, SENDER_DEAD_AFTER } from '../../../src/notify/alert-log.ts'
import { sendDue } from '../../../src/notify/send.ts'
import type { AlertRules, SeenCheck } from '../../../src/notify/types.ts'
import { createStore } from '../../../src/store/create.ts'
import { openStore } from '../../../src/store/open.ts'
import type { Store } from '../../../src/store/store.ts'
import { verifyStore } from '../../../src/store/verify.ts'
import { temporaryFolder } from '../store/support.ts'
import { type Answer, alert, context, MODEL, quickWire, type Receiver, receiver, seen } from './support.ts'

const RULES: AlertRules = { k: 1, n: 1, coolDown: 864e5 }

describe('sending what is due', () => {
  let root: string
  let store: Store
  let hook: Receiver
  let answer: (path: string) => Answer
  const clock = { now: '' }
  const history: SeenCheck[] = []
  const ENV = { MLOPS_WEBHOOK_SECRET: 'sEcReT-of-the-hook', MLOPS_SLACK_WEBHOOK: '' }
  beforeEach(async () => {
    clock.now = '2026-06-10T08:00:00.000Z'
    history.splice(0)
    root = join(temporaryFolder(), '.mlops')
    await createStore(root)
    store = await openStore(root, { write: true, now: () => new Date(clock.now) })
    answer = () => ({ status: 200 })
    hook = await receiver(({ path }) => answer(path))
    ENV.MLOPS_SLACK_WEBHOOK = `${hook.url}/services/T0/B0/slackSlackSecret`
  })
  afterEach(() => hook.close())

  const at = (day: number, hour = 8): string =>
    `2026-06-${String(day).padStart(2, '0')}T${String(hour).padStart(2, '0')}:00:00.000Z`
  const channels = () => [`webhook:${hook.url}/path-secret`, 'slack:#ml']
  /** The check of the day before `day`, made in the morning. */
  const morning = async (day: number, trouble: boolean | null, rules = RULES, to = channels()) => {
    clock.now = at(day)
    const pad = (d: number): string => `2026-06-${String(d).padStart(2, '0')}`
    const check = { ...seen(pad(day - 1), pad(day), trouble), time: clock.now }
    const state = trouble === true ? 'firing' : 'recovered'
    const request = { alert: alert({ state, time: clock.now }), check, channels: to, rules, history: [...history] }
    history.push(check)
    return sendDue(context(ENV, clock), { root }, store, request, { wire: quickWire().wire })
  }
  const states = () => hook.got.filter(({ path }) => path === '/path-secret').map(({ body }) => JSON.parse(body).state)

  it('fires once, keeps quiet, reminds after the cool-down with the first time, and tells the end once', async () => {
    const decisions = []
    for (const [day, trouble] of [
      [2, true],
      [3, true],
      [3, true],
      [4, null],
      [5, true],
      [6, false],
      [7, false],
    ] as const) {
      decisions.push((await morning(day, trouble, { ...RULES, coolDown: 2 * 864e5 })).decision)
    }
    assert.deepEqual(decisions, ['fire', 'hold', 'hold', 'hold', 'fire', 'recover', 'hold'])
    assert.deepEqual(states(), ['firing', 'firing', 'recovered'])
    const since = hook.got.filter(({ path }) => path === '/path-secret').map(({ body }) => JSON.parse(body).since)
    assert.deepEqual(since, [at(1, 0), at(1, 0), at(1, 0)])
    assert.equal((await verifyStore(root)).ok, true)
  })

  it('tells of trouble though the disk is full, and says that it may do so again', async () => {
    const warnings: string[] = []
    const full = async (): Promise<never> => {
      throw failed({ code: 'STORE_FULL', message: 'The disk of the store is full.' })
    }
    const check = { ...seen('2026-06-01', '2026-06-02', true), time: at(2) }
    clock.now = at(2)
    const request = { alert: alert({ state: 'firing', time: at(2) }), check, channels: channels(), rules: RULES }
    const outcome = await sendDue(
      { ...context(ENV, clock), warn: (text) => warnings.push(text) },
      { root },
      { claims: { ...store.claims, take: full } },
      { ...request, history: [] },
      { wire: quickWire().wire },
    )
    assert.deepEqual([outcome.decision, outcome.number, states()], ['fire', null, ['firing']])
    assert.match(warnings.join(), /may be sent again.*disk of the store is full/)
    // The next check, on a disk with room, tells again: nobody can know that it was told.
    assert.equal((await morning(2, true)).decision, 'fire')
  })

  it('records that it fired before it sends, and what was delivered after it', async () => {
    let during: number | undefined
    answer = () => {
      during ??= readdirSync(join(root, 'models', MODEL, 'alerts', alert().fingerprint)).filter((name) =>
        name.endsWith('.json'),
      ).length
      return { status: 200 }
    }
    const { number, deliveries } = await morning(2, true)
    assert.deepEqual([number, during, deliveries.map(({ delivered }) => delivered)], [1, 1, [true, true]])
    const claims = await store.claims.list(MODEL, `alerts/${alert().fingerprint}`)
    assert.deepEqual(
      claims.map(({ record }) => (record as { kind: string }).kind),
      ['fired', 'delivered'],
    )
    const log = await readAlerts(store, MODEL, alert().fingerprint)
    assert.deepEqual(log.messages[0]?.delivered, [`webhook:${hook.url}/…`, 'slack:#ml'])
  })

  it('tries what did not arrive again with the next check, only for those who missed it', async () => {
    answer = (path) => ({ status: path === '/path-secret' ? 200 : 404 })
    const first = await morning(2, true)
    assert.deepEqual(
      first.deliveries.map(({ delivered }) => delivered),
      [true, false],
    )
    assert.equal((await morning(2, true)).decision, 'redeliver')
    answer = () => ({ status: 200 })
    const again = await morning(2, true)
    assert.deepEqual([again.decision, again.deliveries.map(({ channel }) => channel)], ['redeliver', ['slack:#ml']])
    assert.equal((await morning(2, true)).decision, 'hold')
    assert.deepEqual(states(), ['firing'])
    assert.equal((await readAlerts(store, MODEL, alert().fingerprint)).messages.length, 1)
  })

  it('tells nobody of the end who was not told of the trouble', async () => {
    answer = (path) => ({ status: path === '/path-secret' ? 200 : 404 })
    await morning(2, true)
    answer = () => ({ status: 200 })
    const end = await morning(3, false)
    assert.deepEqual(
      [end.decision, end.deliveries.map(({ channel }) => channel)],
      ['recover', [`webhook:${hook.url}/…`]],
    )
    assert.equal((await morning(4, false)).decision, 'hold')
  })

  it('closes what nobody took without a message', async () => {
    answer = () => ({ status: 404 })
    await morning(2, true)
    const before = hook.got.length
    const end = await morning(3, false)
    assert.deepEqual([end.decision, end.deliveries, hook.got.length], ['recover', [], before])
    answer = () => ({ status: 200 })
    assert.equal((await morning(4, false)).decision, 'hold')
    assert.equal((await morning(5, true)).decision, 'fire')
  })

  it('takes over from a sender that was killed, once it has been silent for minutes', async () => {
    const claim = {
      kind: 'fired',
      alert: alert({ time: at(2) }),
      seen: { id: 'x', window: { since: at(1, 0), until: at(2, 0) } },
      channels: ['slack:#ml'],
      actor: 'a',
      host: 'h',
      time: at(2),
    }
    clock.now = at(2)
    await store.claims.take(MODEL, `alerts/${alert().fingerprint}`, 1, claim as unknown as Json)
    await store.claims.beat(MODEL, `alerts/${alert().fingerprint}`)
    const held = await morning(2, true)
    assert.deepEqual(
      [held.decision, held.reason, hook.got.length],
      ['hold', 'another process is sending it just now', 0],
    )
    clock.now = new Date(Date.parse(at(2)) + SENDER_DEAD_AFTER).toISOString()
    const check = { ...seen('2026-06-01', '2026-06-02', true), time: clock.now }
    const request = { alert: alert(), check, channels: channels(), rules: RULES, history: [] }
    const taken = await sendDue(context(ENV, clock), { root }, store, request)
    assert.deepEqual([taken.decision, taken.number, hook.got.length], ['redeliver', 2, 2])
    assert.equal((await morning(2, true)).decision, 'hold')
  })

  it('leaves no secret in the store', async () => {
    answer = (path) => ({ status: 500, body: `no: ${path} sEcReT-of-the-hook` })
    const outcome = await morning(2, true)
    assert.equal(outcome.deliveries.length, 2)
    const secret = /sEcReT-of|path-secret|slackSlackSecret/
    assert.doesNotMatch(JSON.stringify(outcome), secret)
    for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
      const path = join(root, name)
      if (statSync(path).isFile()) assert.doesNotMatch(readFileSync(path, 'latin1'), secret, name)
    }
  })

  it('sends one message for a window that many tell in one process', async () => {
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => morning(2, true)))
    assert.equal(outcomes.filter(({ decision }) => decision === 'fire').length, 1)
    assert.deepEqual(states(), ['firing'])
  })

  it('sends one message for a window that several processes check at once', async () => {
    const workers = await Promise.all(
      Array.from({ length: 3 }, () => worker([root, at(2), '2026-06-01', '2026-06-02', `${hook.url}/path-secret`])),
    )
    const outcomes = await Promise.all(workers.map((go) => go()))
    assert.equal(outcomes.filter(({ decision }) => decision === 'fire').length, 1, JSON.stringify(outcomes))
    assert.deepEqual(states(), ['firing'])
    assert.equal((await verifyStore(root)).ok, true)
  })
})

/** Starts it; the function that comes back lets it go and gives its answer. */
async function worker(args: readonly string[]): Promise<() => Promise<{ decision: string }>> {
  const script = join(import.meta.dirname, 'worker.ts')
  const child = spawn(process.execPath, ['--import', 'tsx/esm', script, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let out = ''
  const ready = new Promise<void>((resolve, reject) => {
    child.on('error', reject)
    child.stdout.on('data', (chunk) => {
      out += chunk
      if (out.includes('ready')) resolve()
    })
  })
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()))
  await ready
  return async () => {
    child.stdin.write('go\n')
    await ended
    return JSON.parse(out.split('\n')[1] ?? '')
  }
}
