/** What a check says in an alert, which exit code answers it, and the lines that repeat it. Pure. */
import assert from 'node:assert/strict'
import { sha256 } from '../../../src/core/digest.ts'
import { MlopsError } from '../../../src/core/errors.ts'
import type { CheckResult, ColumnResult, HealthFinding } from '../../../src/drift/types.ts'
import { alertsOf, troubleOf } from '../../../src/monitor/alert.ts'
import { scheduleOf } from '../../../src/monitor/cron.ts'
import { exitOfCheck, worstExit } from '../../../src/monitor/exit.ts'
import { nextOf } from '../../../src/monitor/next.ts'
import { type DriftFlags, driftQuestion } from '../../../src/monitor/request.ts'

const column = (name: string, verdict: ColumnResult['verdict'], more: Partial<ColumnResult> = {}): ColumnResult => ({
  column: name,
  type: 'numeric',
  role: 'feature',
  verdict,
  metric: 'psi',
  effect: 0.3,
  threshold: 0.1,
  noise: 0.01,
  pAdjusted: 0,
  measures: {},
  summary: `${name}: median 31 -> 15`,
  causes: [],
  informs: [],
  groups: [],
  ...more,
})
const finding = (what: HealthFinding['what'], verdict: HealthFinding['verdict'], actual: number): HealthFinding => ({
  what,
  verdict,
  actual,
  limit: 1,
  reference: 1,
  summary: `${what} ${actual}`,
})
const check = (part: Partial<CheckResult> = {}): CheckResult => ({
  format: 1,
  model: 'm',
  version: 3,
  verdict: 'stable',
  metric: 'psi',
  time: '2026-11-21T06:00:00.000Z',
  reference: { name: 'baseline of m@3', profile: sha256('p'), rows: 4_000 },
  current: { source: 'prediction log, 2026-11-20 to 2026-11-21', sha256: sha256('c'), rows: 900, columns: 4 },
  columns: [],
  unresolved: [],
  summary: 'No drift in 4 columns over 900 rows.',
  notes: [],
  configuration: sha256('x'),
  window: { since: '2026-11-20T00:00:00.000Z', until: '2026-11-21T00:00:00.000Z' },
  ...part,
})
const FACTS = { stage: 'production', evidence: [{ label: 'run', value: '01J' }] }

describe('The alerts of a check', () => {
  it('are one per kind, whatever the number of columns, with before and after', () => {
    const columns = ['a', 'b', 'c'].map((name) => column(name, 'drift'))
    const drifted = check({ verdict: 'drift', columns: [...columns, column('d', 'stable')] })
    const alerts = alertsOf(drifted, FACTS)
    assert.deepEqual(
      alerts.map(({ kind, state, title }) => [kind, state, title]),
      [['drift', 'firing', 'm@3 in production: 3 of 4 columns drifted']],
    )
    const [alert] = alerts
    assert.deepEqual(alert?.findings.slice(0, 2), ['a: median 31 -> 15', 'b: median 31 -> 15'])
    assert.equal(alert?.since, drifted.window?.since)
    assert.equal(alert?.next, 'mlops retrain m --reason "drift in 1 day to 2026-11-21"')
    assert.deepEqual(alert?.evidence, FACTS.evidence)
  })

  it('name at most a dozen columns', () => {
    const columns = Array.from({ length: 40 }, (_, i) => column(`c${i}`, 'drift'))
    const [alert] = alertsOf(check({ verdict: 'drift', columns }), FACTS)
    assert.deepEqual([alert?.findings.length, alert?.findings.at(-1)], [13, 'and 28 more'])
  })

  it('tell silence apart from a service that fails', () => {
    const silent = check({
      verdict: 'inconclusive',
      health: { verdict: 'breach', findings: [finding('errors', 'inconclusive', 0), finding('volume', 'breach', 0)] },
    })
    assert.deepEqual(
      [troubleOf(silent, 'silence'), troubleOf(silent, 'health'), troubleOf(silent, 'drift')],
      [true, null, null],
    )
    const failing = check({
      health: { verdict: 'breach', findings: [finding('errors', 'breach', 0.2), finding('volume', 'ok', 900)] },
    })
    assert.deepEqual([troubleOf(failing, 'silence'), troubleOf(failing, 'health')], [false, true])
    assert.equal(alertsOf(failing, FACTS).find(({ kind }) => kind === 'health')?.title, 'm@3 in production: errors 0.2')
  })

  it('call nothing well that could not be judged', () => {
    const unclear = check({
      verdict: 'inconclusive',
      health: { verdict: 'ok', findings: [finding('errors', 'inconclusive', 0.01), finding('latency', 'ok', 20)] },
      quality: { verdict: 'inconclusive', rows: 9, labelled: 2, metrics: [], summary: '' },
    })
    assert.deepEqual(
      (['drift', 'health', 'quality', 'silence'] as const).map((kind) => troubleOf(unclear, kind)),
      [null, null, null, null],
    )
  })

  it('say of a quality that fell which metric, and what it was', () => {
    const metrics = [{ metric: 'auc', value: 0.71234, reference: 0.84, verdict: 'breach' as const }]
    const fallen = check({ quality: { verdict: 'breach', rows: 900, labelled: 400, metrics, summary: 'auc fell' } })
    const alert = alertsOf(fallen, FACTS).find(({ kind }) => kind === 'quality')
    assert.equal(alert?.title, 'm@3 in production: auc 0.712, 0.84 when registered')
    assert.equal(nextOf(fallen), 'mlops retrain m --reason "auc fell"')
  })
})

describe('The exit code of a check', () => {
  const breach = { verdict: 'breach', findings: [] } as const
  const undelivered = {
    kind: 'drift',
    trouble: true,
    state: 'firing',
    decision: 'fire',
    reason: '',
    title: '',
    deliveries: [{ channel: 'slack', delivered: false, attempts: 4 }],
  } as const
  const exits: readonly (readonly [Partial<Parameters<typeof exitOfCheck>[0]>, string, string, string])[] = [
    [{}, 'ok', 'ok', 'ok'],
    [{ verdict: 'drift' }, 'no', 'no', 'ok'],
    [{ verdict: 'inconclusive' }, 'inconclusive', 'ok', 'ok'],
    [{ health: breach }, 'no', 'no', 'ok'],
    [{ verdict: 'inconclusive', health: breach }, 'no', 'no', 'ok'],
    [{ verdict: 'drift', alerts: [undelivered] }, 'failed', 'failed', 'failed'],
  ]
  for (const [part, ...expected] of exits) {
    it(`of ${JSON.stringify(part).slice(0, 60)} is ${expected.join(', ')} by --fail-on`, () => {
      const answer = { ...check(), ...part }
      const found = (['inconclusive', 'drift', 'never'] as const).map((failOn) => exitOfCheck(answer, failOn))
      assert.deepEqual(found, expected)
    })
  }

  it('of a fleet is the worst: 1 before 3 before 6 before 0', () => {
    assert.equal(worstExit(['ok', 'inconclusive', 'no', 'failed']), 'failed')
    assert.equal(worstExit(['ok', 'inconclusive', 'no']), 'no')
    assert.equal(worstExit(['ok', 'inconclusive']), 'inconclusive')
    assert.equal(worstExit([]), 'ok')
  })
})

describe('The line for cron', () => {
  const line = (words: readonly string[], every: number, root = '/srv/my project') =>
    scheduleOf({ program: ['/usr/bin/node', '/opt/mlops/run.js'], root, words: ['drift', ...words], every, name: 'm' })

  it('quotes what a shell would take apart, and the percent sign that cron does', () => {
    const { cron } = line(['m', '--current', "it's 50%.csv"], 864e5)
    assert.match(cron, /^\d+ 6 \* \* \* cd '\/srv\/my project' && /)
    assert.ok(cron.includes(`--current 'it'\\''s 50\\%.csv'`), cron)
    assert.ok(!cron.includes('flock'))
  })

  it('has the rhythm that was asked for', () => {
    const rhythm = (every: number) => line(['m'], every).cron.split(' ').slice(0, 5).join(' ').replace(/^\d+/, 'M')
    assert.deepEqual([9e5, 36e5, 6 * 36e5, 864e5, 7 * 864e5].map(rhythm), [
      '*/15 * * * *',
      'M * * * *',
      'M */6 * * *',
      'M 6 * * *',
      'M 6 * * 1',
    ])
  })
})

describe('The flags of mlops drift', () => {
  const flags = (part: Partial<DriftFlags> = {}): DriftFlags => ({
    against: 'baseline',
    alert: false,
    'fail-on': 'inconclusive',
    all: false,
    ...part,
  })
  const refusal = (model: string | undefined, part: Partial<DriftFlags>): string => {
    try {
      driftQuestion(model, flags(part))
    } catch (error) {
      if (error instanceof MlopsError) return `${error.exit} ${error.code}`
    }
    return 'none'
  }

  it('name one model or all of them', () => {
    assert.equal(refusal(undefined, {}), 'usage MODEL_MISSING')
    assert.equal(refusal('m', { all: true }), 'usage FLAGS_EXCLUSIVE')
    assert.equal(refusal(undefined, { all: true, current: 'june.csv' }), 'usage FLAGS_EXCLUSIVE')
    assert.equal(refusal(undefined, { all: true, against: 'may.csv' }), 'usage FLAGS_EXCLUSIVE')
    const fleet = driftQuestion(undefined, flags({ all: true, against: 'previous', window: '1d' }))
    assert.deepEqual([fleet.kind, fleet.kind === 'fleet' && fleet.stage], ['fleet', 'production'])
  })
})
