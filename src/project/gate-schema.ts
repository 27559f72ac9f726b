/**
 * The schema of a gate's keys, the same under `gates.STAGE` of `mlops.yaml` and under `validation` of the policy file.
 * What a gate is once it was read is in `gate-config.ts`, turning the one into the other in `gate-read.ts`.
 */
import { impossible } from '../core/metric-names.ts'
import { nameProblem } from '../core/names.ts'
import { personProblem } from '../core/person.ts'
import { redactText } from '../core/redact.ts'
import { placeholderProblem } from '../core/shell.ts'
import { checked, type Say, type Wrong } from './checked.ts'
import { DURATION } from './duration.ts'
import { ANY_METRIC } from './gate-config.ts'
import { day, margin, share } from './gate-values.ts'
import {
  type Fields,
  listOf,
  number,
  oneOf,
  optional,
  type Pattern,
  record,
  required,
  type Shape,
  text,
  withDefault,
} from './schema.ts'

const NEED = ['required', 'optional'] as const
const SCANS = ['no code', 'inert'] as const

export const nameOf = (kind: string) => (key: string) => {
  const problem = nameProblem(key)
  return problem === undefined ? undefined : `cannot be the name of a ${kind}: ${problem}`
}
export const stageName = text({ label: 'the name of a stage', problem: nameOf('stage') })
export const timeLimit = text({ label: 'a duration such as 30s or 10m', pattern: DURATION })
const columnName = text({ label: 'the name of a column' })

const bounds = (description: string): Pattern<number> => ({
  // `min_rows` of a slice is a key of its own.
  keys: /^(?:min|max)_(?!rows$).+$/,
  name: 'min_<metric>, max_<metric>',
  shape: number(),
  description,
})

/** Names are kept in every event that mentions them. */
const secret = (value: string): string | undefined =>
  redactText(value) === value ? undefined : 'it looks like a secret, and it would be kept for ever'

const rowsNeeded = number({ whole: true, atLeast: 1 })

const slice = checked(
  record(
    {
      by: required(columnName, 'The column of the held-out rows.', 'region'),
      min_rows: optional(rowsNeeded, 'Groups with fewer rows are inconclusive. Without it any group counts.', '50'),
    },
    bounds('The bound that the metric must keep on the rows of every value of the column.'),
  ),
  ({ rest }, say, wrong) => {
    if (Object.keys(rest).length === 0 && wrong.size === 0) say([], 'no bound; add for example min_auc: 0.75')
  },
)

const fairness = checked(
  record({
    by: required(columnName, 'The column of the held-out rows that holds the group.', 'gender'),
    demographic_parity: optional(
      number({ atLeast: 0, atMost: 1 }),
      'The largest difference between groups in how often the answer is positive.',
      '0.1',
    ),
    equalized_odds: optional(
      number({ atLeast: 0, atMost: 1 }),
      'The largest difference between groups in the true or the false positive rate, whichever is larger.',
      '0.1',
    ),
    min_rows: optional(rowsNeeded, 'A group with fewer rows makes the check inconclusive.', '30'),
  }),
  ({ demographic_parity, equalized_odds }, say, wrong) => {
    if (demographic_parity !== undefined || equalized_odds !== undefined || wrong.size > 0) return
    say([], 'no measure; add demographic_parity: NUMBER or equalized_odds: NUMBER (there is no default)')
  },
)

const external = checked(
  record({
    name: required(text({ label: 'a name', problem: secret }), 'How the check is called in the table.', 'load test'),
    command: optional(
      text({ label: 'a command line', problem: placeholderProblem }),
      "What is run in the folder of mlops.yaml; it passes with exit code 0. `{model}` becomes the version's file, or the folder of its files.",
      './load.sh {model}',
    ),
    timeout: optional(
      timeLimit,
      'Of `command`: after how long it is ended and inconclusive (`10m` when nothing is said).',
      '30m',
    ),
    junit: optional(
      text({ label: 'the path of a JUnit file' }),
      'A report of tests, relative to mlops.yaml, written after the version was registered. It passes when it holds at least one test and none failed.',
      'reports/junit.xml',
    ),
  }),
  ({ command, junit, timeout }, say, wrong) => {
    if (command === undefined && junit === undefined && wrong.size === 0) {
      say([], "nothing to look at; add command: './load.sh {model}' or junit: reports/junit.xml")
    }
    if (command !== undefined && junit !== undefined) say(['junit'], 'one of command and junit, not both')
    if (junit !== undefined && timeout !== undefined) say(['timeout'], 'a report is read, it has no timeout')
  },
)

const waiver = record({
  check: required(
    text({ label: 'the name of a check' }),
    'The check by its name in the table of the gate, with the metric behind it where several have one name.',
    'compare_to auc',
  ),
  owner: required(text({ label: 'the name of a person', problem: personProblem }), 'Who answers for it.', 'ada'),
  reason: required(text({ label: 'a sentence' }), 'Why.', 'region north is new; more rows arrive in March'),
  expires: required(day, 'The last day (UTC) on which it holds.', '2026-12-31'),
})

export const gateFields = {
  compare_to: optional(
    stageName,
    'The stage whose version must not be better, on every metric that a `min_` or `max_` key names. Ties pass.',
    'production',
  ),
  margin: optional(
    margin,
    "How much worse than that version a metric may be: `0.01` in its own unit, `1%` of the champion's value, or a map of metrics (`'*'` for all others). With held-out predictions of both, the interval of the difference must keep it. Without this key the two numbers decide.",
    '{auc: 0.01, log_loss: 2%}',
  ),
  approval: withDefault(number({ whole: true, atLeast: 0 }), 0, 'How many people must approve.'),
  self_approval: withDefault(
    oneOf(['allowed', 'refused']),
    'allowed',
    'Whether those who trained or registered the version may approve it.',
  ),
  baseline: withDefault(oneOf(NEED), 'optional', 'Whether the version must have a baseline to detect drift against.'),
  run: withDefault(oneOf(NEED), 'optional', 'Whether the version must come from a recorded run.'),
  data_hash: withDefault(oneOf(NEED), 'optional', 'Whether the hash of the training data must be known.'),
  health: withDefault(
    oneOf(NEED),
    'optional',
    'Whether the last drift check of this version must exist, be of today, and have found nothing.',
  ),
  scan: optional(
    oneOf(SCANS),
    'What the model files may hold: `no code` (nothing that runs code when it is loaded; known classes of scikit-learn and the like may stand in it), or `inert` (data alone). Without it, only high risk asks for no code.',
    'no code',
  ),
  contract: optional(
    oneOf(['compatible']),
    'Whether a version may break what callers of the version in the stage know: `compatible` refuses one that lacks a column, wants a new one, or has another type or other classes. Without it a breaking change only warns.',
    'compatible',
  ),
  train_test_overlap: optional(
    share,
    'The largest share of the held-out rows that may stand in the training data too. Without it an overlap only warns.',
    '1%',
  ),
  slices: withDefault(
    listOf(slice),
    [],
    'Bounds that must hold for every value of a column of the held-out rows.',
    '[{by: region, min_auc: 0.75, min_rows: 50}]',
  ),
  fairness: withDefault(
    listOf(fairness),
    [],
    'Differences between groups of the held-out rows that must not be larger.',
    '[{by: gender, demographic_parity: 0.1, min_rows: 30}]',
  ),
  external: withDefault(
    listOf(external),
    [],
    'Checks made outside of this program: a command, or a JUnit file.',
    "[{name: load test, command: './load.sh {model}'}, {name: data tests, junit: reports/junit.xml}]",
  ),
  waivers: withDefault(
    listOf(waiver),
    [],
    "Lets a failing check pass until a day, in somebody's name. Never an approval, missing files, or code in a model of high risk.",
    '[{check: min_auc, owner: ada, reason: new region, expires: 2026-12-31}]',
  ),
}

const gatePattern = bounds(
  'The bound a recorded metric must keep. A missing metric, or one that is no finite number, fails.',
)

/** A gate's keys together with more, for the policy's `validation`. */
export const gateWith = <F extends Fields>(more: F) =>
  // What `more` adds keeps TypeScript from seeing that the gate's own keys are in there.
  checked(record({ ...gateFields, ...more }, gatePattern), (gate, say, wrong) =>
    agree(gate as unknown as Agreeing, say, wrong),
  )

const plain = record(gateFields, gatePattern)
export type RawGate = typeof plain extends Shape<infer T> ? T : never

export const gateShape = checked(plain, (gate, say, wrong) => {
  agree(gate, say, wrong)
  const compared = Object.keys(gate.rest).map((key) => key.slice(4))
  for (const metric of new Set(compared)) {
    const own = gate.margin?.[metric]
    const { kind, value } = own ?? gate.margin?.[ANY_METRIC] ?? { kind: 'absolute', value: 0 }
    if (kind !== 'absolute' || value < 1 || !isBetween0And1(metric)) continue
    const path = own === undefined ? ['margin'] : ['margin', metric]
    say(
      path,
      `${metric} lies between 0 and 1, so that with a margin of ${value} nothing could be worse; write for example 0.01`,
    )
  }
  for (const metric of Object.keys(gate.margin ?? {})) {
    const bounds = [`min_${metric}`, `max_${metric}`]
    if (metric === ANY_METRIC || compared.includes(metric) || bounds.some((key) => wrong.has(key))) continue
    const means = compared.length === 0 ? '' : `; compared are ${[...new Set(compared)].join(', ')}`
    say(['margin', metric], `no min_ or max_ of this gate names this metric, so it is not compared${means}`)
  }
})

const isBetween0And1 = (metric: string): boolean =>
  impossible(metric, -1) !== undefined && impossible(metric, 2) !== undefined

type Agreeing = Pick<RawGate, 'margin' | 'compare_to' | 'external'>

/** What several keys of a gate must agree on, wherever it stands. */
function agree(gate: Agreeing, say: Say, wrong: Wrong): void {
  if (gate.margin !== undefined && gate.compare_to === undefined && !wrong.has('compare_to')) {
    say(['margin'], 'says nothing without compare_to; add compare_to: production')
  }
  // With holes where something was reported.
  const names = (gate.external ?? []).map((each: { readonly name?: string }) => each.name)
  const twice = names.find((name, index) => name !== undefined && names.indexOf(name) < index)
  if (twice !== undefined) say(['external'], `two checks are called ${JSON.stringify(twice)}; give each its own name`)
}
