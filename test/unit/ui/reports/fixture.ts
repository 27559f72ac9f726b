/** A check with everything in it, and names that try to break every form. */
import type { CheckResult, ColumnResult } from '../../../../src/drift/types.ts'
import type { ReportedCheck } from '../../../../src/ui/reports/types.ts'

/** Markup, quotes, Markdown, a mention, an override of direction, a bell, an escape, half a surrogate pair. */
export const HOSTILE = `<script>alert(1)</script>"'&amp;|\`x\`\n\u202eevil\u0007\u001b[31m\ud800 \\ @everyone ]]> --> end`

const GROUPS = Array.from({ length: 10 }, (_, at) => ({
  label: `${at * 10} to ${at * 10 + 10}`,
  before: 0.1,
  after: at === 9 ? 0.46 : 0.06,
}))

export function column(name: string, changes: Partial<ColumnResult> = {}): ColumnResult {
  return {
    column: name,
    type: 'numeric',
    role: 'feature',
    verdict: 'drift',
    metric: 'psi',
    effect: 1.169,
    threshold: 0.1,
    noise: 0.011,
    pAdjusted: 0.0001,
    measures: { psi: 1.169, js: 0.3, ks_lower: 0.28, ks_upper: 0.29, wasserstein: 0.9, linf: 0.36, chi2: 0.9 },
    summary: `${name}: median 70.6 -> 91.5`,
    causes: ['out of range: 17 % above 119'],
    informs: ['NaN 0 % -> 0.1 %'],
    groups: GROUPS,
    ...changes,
  }
}

export const stable = (name: string): ColumnResult =>
  column(name, { verdict: 'stable', effect: 0.004, summary: `${name}: median 70.6 -> 70.7`, causes: [], informs: [] })

export const inconclusive = (name: string): ColumnResult =>
  column(name, {
    verdict: 'inconclusive',
    effect: 0.12,
    noise: 0.338,
    rowsNeeded: 340,
    reason: 'needs about 340 rows, has 100',
    causes: [],
  })

export const broken = (name: string): ColumnResult =>
  column(name, {
    verdict: 'broken',
    effect: null,
    noise: null,
    groups: [],
    measures: {},
    summary: `${name}: missing from the batch`,
    causes: ['column missing'],
    informs: [],
    reason: 'missing from the batch',
  })

const DIGEST = 'c1c57a7723deea5789c603adb04e5c6c2ffcf289d214e87dbe662c408cb429b2' as CheckResult['configuration']

export function check(changes: Partial<ReportedCheck> = {}): ReportedCheck {
  return {
    format: 1,
    model: 'churn-model',
    version: 3,
    verdict: 'drift',
    metric: 'psi',
    time: '2026-11-21T12:21:13.270Z',
    reference: { name: 'baseline of churn-model@3', profile: DIGEST, rows: 4000 },
    current: { source: 'june.csv', sha256: DIGEST, rows: 2500, columns: 6 },
    columns: [column('MonthlyCharges'), broken('Dependents'), inconclusive('tenure'), stable('gender')],
    unresolved: ['tenure'],
    summary: 'Drift in 2 of 4 columns: MonthlyCharges: median 70.6 -> 91.5; Dependents: missing from the batch.',
    notes: ['A column is not in the baseline and not compared: "campaign"'],
    configuration: DIGEST,
    next: 'mlops model show churn-model@3',
    ...changes,
  }
}

/** With segments, health and quality, as a check of a window has them. */
export const wholeCheck = (): ReportedCheck =>
  check({
    window: { since: '2026-11-14T00:00:00.000Z', until: '2026-11-21T00:00:00.000Z' },
    segments: {
      column: 'Contract',
      results: [
        {
          value: 'Month-to-month',
          kind: 'value',
          rows: 1830,
          reference: 2100,
          verdict: 'drift',
          drifted: ['tenure'],
          summary: 'Drift in 1 of 4 columns: tenure: median 12 -> 8.',
        },
        {
          value: '',
          kind: 'missing',
          rows: 12,
          reference: 3,
          verdict: 'small',
          drifted: [],
          summary: 'Too few rows of its own.',
        },
      ],
    },
    health: {
      verdict: 'breach',
      findings: [
        {
          what: 'errors',
          verdict: 'breach',
          actual: 0.073,
          limit: 0.02,
          reference: 0.004,
          summary: '0.4 % -> 7.3 % failed',
        },
        { what: 'latency', verdict: 'ok', actual: 48.2, limit: 200, reference: 41, summary: 'p95 41 ms -> 48 ms' },
        {
          what: 'volume',
          verdict: 'inconclusive',
          actual: 2500,
          limit: null,
          reference: null,
          summary: 'No earlier window.',
        },
      ],
    },
    periods: [
      {
        since: '2026-11-19T00:00:00.000Z',
        until: '2026-11-20T00:00:00.000Z',
        rows: 1200,
        verdict: 'stable',
        health: 'ok',
        quality: null,
        drifted: [],
        effect: 0.4,
        running: false,
        summary: 'No drift in 4 columns over 1,200 rows.',
      },
      {
        since: '2026-11-20T00:00:00.000Z',
        until: '2026-11-21T00:00:00.000Z',
        rows: 1300,
        verdict: 'drift',
        health: 'breach',
        quality: null,
        drifted: ['MonthlyCharges'],
        effect: 11.7,
        running: false,
        summary: 'Drift in 1 of 4 columns.',
      },
    ],
    quality: {
      verdict: 'ok',
      rows: 2500,
      labelled: 812,
      summary: 'auc 0.841 -> 0.836.',
      metrics: [{ metric: 'auc', value: 0.836, reference: 0.841, verdict: 'ok' }],
    },
  })

/** Every place where text of a user can stand holds the hostile one. */
export const hostileCheck = (): ReportedCheck => {
  const whole = wholeCheck()
  const evil = (each: ColumnResult, at: number): ColumnResult => ({
    ...each,
    column: `${HOSTILE}${at}`,
    summary: `${HOSTILE}${at}: ${HOSTILE}`,
    causes: [HOSTILE, HOSTILE.repeat(100)],
    informs: [HOSTILE],
    ...(each.reason === undefined ? {} : { reason: HOSTILE }),
    groups: each.groups.map((group) => ({ ...group, label: HOSTILE })),
  })
  return {
    ...whole,
    columns: [...whole.columns.map(evil), evil(stable('x'.repeat(100_000)), 9), stable('שלום\u202b עולם')],
    summary: HOSTILE,
    notes: [HOSTILE],
    current: { ...whole.current, source: HOSTILE },
    reference: { ...whole.reference, name: HOSTILE },
    next: HOSTILE,
    segments: {
      column: HOSTILE,
      results: (whole.segments?.results ?? []).map((each) => ({ ...each, value: HOSTILE, summary: HOSTILE })),
    },
    health: {
      verdict: 'breach',
      findings: (whole.health?.findings ?? []).map((each) => ({ ...each, summary: HOSTILE })),
    },
    quality: {
      verdict: 'ok',
      rows: 1,
      labelled: 1,
      summary: HOSTILE,
      metrics: [{ metric: HOSTILE, value: 1, reference: null, verdict: 'ok' }],
    },
  }
}

/** Two hundred columns with names of usual length, the worst case of all in drift. */
export const wideCheck = (drifted: number): ReportedCheck => {
  const names = Array.from({ length: 200 }, (_, at) => `customer_feature_number_${String(at).padStart(3, '0')}`)
  return check({ columns: names.map((name, at) => (at < drifted ? column(name) : stable(name))) })
}
