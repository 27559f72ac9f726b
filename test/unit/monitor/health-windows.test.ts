/** Which windows of a real log the service is compared with. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type ServiceWindow, serviceQuestion } from '../../../src/monitor/health-windows.ts'
import { judgeService } from '../../../src/monitor/service-health.ts'
import { openLog } from '../../../src/predictions/log.ts'
import type { PredictionLog } from '../../../src/predictions/types.ts'
import { defaultConfig } from '../../../src/project/config-read.ts'

const MODEL = 'm'
const DAY = 864e5
/** A Saturday. */
const TODAY = Date.UTC(2026, 10, 21)

describe('The windows a service is judged by', function () {
  this.timeout(30_000)
  let dir: string
  let log: PredictionLog
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'mlops-health-'))
    const project = { root: dir, storeRoot: dir, config: defaultConfig() }
    log = openLog({ cwd: dir, env: {}, now: () => new Date(TODAY) }, project, { root: dir }, MODEL)
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  /** `requests` of one UTC day, `day` days before today, evenly over the day. */
  function write(day: number, requests: number, { errors = 0, latency = 20, version = 1 } = {}): void {
    const from = TODAY - day * DAY
    const lines = Array.from({ length: requests }, (_, i) => {
      const time = new Date(from + Math.floor((i / requests) * DAY)).toISOString()
      const answer = i < errors ? { status: 'error', error: 'timeout' } : { output: 0.5 }
      const record = { v: 1, id: `${day}-${version}-${i}`, time, model: MODEL, version, features: { a: i }, ...answer }
      return JSON.stringify({ ...record, latency_ms: latency * (0.5 + i / requests) })
    })
    const name = `w-000000000000000${version}-0001.jsonl`
    const path = join(dir, 'predictions', MODEL, `date=${new Date(from).toISOString().slice(0, 10)}`, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `${lines.join('\n')}\n`)
  }

  const asked = (part: Partial<ServiceWindow> = {}): ServiceWindow => ({
    window: { since: TODAY - DAY, until: TODAY },
    version: 1,
    entered: null,
    previous: false,
    bounds: {},
    now: TODAY,
    ...part,
  })

  it('a Friday is compared with the Friday before, not with a quiet Thursday', async () => {
    for (let day = 9; day >= 1; day--) write(day, day === 2 ? 10 : 200)
    const { question } = await serviceQuestion(log, asked())
    assert.deepEqual([question.window.volume, question.volumeBefore], [200, 200])
  })

  it('while the log is younger than a week, with the day before', async () => {
    for (const day of [3, 2, 1]) write(day, 100 * day)
    assert.equal((await serviceQuestion(log, asked())).question.volumeBefore, 200)
    const two = asked({ window: { since: TODAY - 2 * DAY, until: TODAY } })
    assert.equal((await serviceQuestion(log, two)).question.volumeBefore, null, 'the log has no two days before these')
  })

  it('failures and latency are compared with the first window in the stage, so that slow decay shows', async () => {
    for (let day = 10; day >= 1; day--) write(day, 400, { errors: 4 * (11 - day), latency: 20 * 1.2 ** (10 - day) })
    const promoted = asked({ entered: TODAY - 10 * DAY })
    const { question } = await serviceQuestion(log, promoted)
    assert.equal(question.reference?.errors, 4)
    assert.deepEqual(
      judgeService(question).findings.map(({ what, verdict }) => [what, verdict]),
      [
        ['errors', 'breach'],
        ['latency', 'breach'],
        ['volume', 'ok'],
      ],
    )
    const yesterday = (await serviceQuestion(log, asked({ previous: true }))).question
    assert.deepEqual([yesterday.reference?.errors, judgeService(yesterday).verdict], [36, 'ok'])
  })

  it('a version that is new is compared with what the one before it did', async () => {
    write(2, 300, { errors: 3 })
    write(1, 300, { version: 2 })
    const { question } = await serviceQuestion(log, asked({ version: 2, entered: TODAY - DAY }))
    assert.deepEqual([question.reference?.requests, question.reference?.errors], [300, 3])
    assert.equal(judgeService(question).verdict, 'ok')
  })

  it('a version that was broken from its first minute never becomes its own reference', async () => {
    for (const day of [9, 8, 7, 6]) write(day, 300, { errors: 3 })
    for (const day of [5, 4, 3, 2, 1]) write(day, 300, { errors: 90, version: 2 })
    const entered = TODAY - 5 * DAY
    for (const hours of [24, 36, 48, 72, 96, 120]) {
      const until = entered + hours * 36e5
      const window = { since: until - DAY, until }
      const { question } = await serviceQuestion(log, asked({ version: 2, entered, window, now: until }))
      const [errors] = judgeService(question).findings
      assert.equal(errors?.verdict, 'breach', `after ${hours} hours`)
      assert.match(errors?.summary ?? '', /3\d % of \d+ \(1\.0 % in the day before @2 took over\)/)
    }
  })

  it('a version that came back within the window is not compared with its own rows of that window', async () => {
    write(2, 300, { errors: 3 })
    write(1, 300, { errors: 90 })
    const { question } = await serviceQuestion(log, asked({ entered: TODAY - DAY / 8 }))
    assert.deepEqual([question.reference?.requests, question.reference?.errors], [300, 3])
    const [errors] = judgeService(question).findings
    assert.equal(errors?.summary, 'failed requests: 30 % of 300 (1.0 % in the day before)')
    assert.equal(errors?.verdict, 'breach')
  })

  it('a version that began well is compared with its own first window, which is named', async () => {
    for (const day of [9, 8, 7, 6]) write(day, 300, { errors: 3 })
    for (const day of [5, 4, 3, 2]) write(day, 300, { errors: 4, version: 2 })
    write(1, 300, { errors: 90, version: 2 })
    const { question } = await serviceQuestion(log, asked({ version: 2, entered: TODAY - 5 * DAY }))
    const [errors, latency, volume] = judgeService(question).findings
    assert.equal(errors?.summary, 'failed requests: 30 % of 300 (1.3 % in its first day)')
    assert.match(latency?.summary ?? '', /ms in its first day\)/)
    assert.equal(volume?.summary, 'requests: 300 (300 a week ago)')
  })

  it('silence stays a breach when the window a week ago is silent too, and says since when', async () => {
    for (const day of [40, 39, 38, 37, 36, 35]) write(day, 480)
    const { question } = await serviceQuestion(log, asked())
    const volume = judgeService(question).findings[2]
    assert.equal(volume?.verdict, 'breach')
    assert.match(volume?.summary ?? '', /^no traffic since 2026-10-17 23:57 UTC; 480 per day before$/)
  })

  it('silence in a log that began a day before the window is a breach too; before the log began, no traffic yet', async () => {
    write(8, 480)
    const week = asked({ window: { since: TODAY - 7 * DAY, until: TODAY } })
    assert.equal(judgeService((await serviceQuestion(log, week)).question).findings[2]?.verdict, 'breach')
    const past = asked({ window: { since: TODAY - 12 * DAY, until: TODAY - 11 * DAY } })
    const volume = judgeService((await serviceQuestion(log, past)).question).findings[2]
    assert.deepEqual([volume?.verdict, volume?.summary], ['inconclusive', 'no traffic yet'])
  })

  it('a model that is asked once a week, or once in four, is not silent in between', async () => {
    for (const day of [24, 17, 10, 3]) write(day, 480)
    assert.equal(judgeService((await serviceQuestion(log, asked())).question).findings[2]?.verdict, 'ok')
    rmSync(join(dir, 'predictions'), { recursive: true })
    for (const day of [76, 48, 20]) write(day, 480)
    assert.equal(judgeService((await serviceQuestion(log, asked())).question).findings[2]?.verdict, 'ok')
  })

  it('only what is over of a running window is compared', async () => {
    for (const day of [9, 8, 7, 1, 0]) write(day, 200)
    const noon = asked({ window: { since: TODAY, until: TODAY + DAY }, now: TODAY + DAY / 2 })
    const { question } = await serviceQuestion(log, noon)
    assert.deepEqual([question.over, question.volumeBefore], [0.5, 100])
  })

  it('an empty log has nothing to compare with, and says so', async () => {
    const { question } = await serviceQuestion(log, asked())
    const { verdict, findings } = judgeService(question)
    assert.deepEqual([verdict, findings[2]?.summary], ['inconclusive', 'no traffic yet'])
  })
})
