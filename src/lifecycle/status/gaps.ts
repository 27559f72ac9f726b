/**
 * The four gaps between a notebook and production (no deployment path, no monitoring, no versioning, no retraining),
 * each rated from evidence, and the one step that closes the next of them. Pure; collected in `gap-facts.ts`.
 */
import type { NextStep } from './next-step.ts'

export const GAPS = ['deployment path', 'monitoring', 'versioning', 'retraining'] as const
export type GapName = (typeof GAPS)[number]

export interface Evidence {
  /** Null: that was not looked at. */
  readonly holds: boolean | null
  /** What was found, in words. */
  readonly says: string
  /** What to type when it does not hold. */
  readonly command: string
  /** What to do or write before that. */
  readonly first: string | null
}

export interface Gap {
  readonly name: GapName
  /** `closed`: all of it holds. `open`: nothing of it does. `unknown`: what was looked at holds, and not all was. */
  readonly rating: 'closed' | 'partly' | 'open' | 'unknown'
  readonly evidence: readonly Evidence[]
}

/** What is known of one model. Null and undefined are "not known", never "fine". */
export interface GapFacts {
  readonly model: string
  /** In production. */
  readonly version: number | null
  /** The gate of production asks for more than a person's yes. */
  readonly gated: boolean
  /** Predictions of this version are in the log; null where nobody asked (PostgreSQL). */
  readonly answers: boolean | null
  readonly baseline: boolean
  readonly checked: 'never' | 'too long ago' | 'recently'
  readonly channels: number
  /** `drift.every`: how often a check is meant to be made. */
  readonly every: string | null
  /** The checks have stopped. */
  readonly overdue: boolean
  readonly run: string | null
  /** The commit, and for a dirty tree its patch, are recorded. */
  readonly code: boolean
  readonly data: boolean
  /** Earlier holders of production that a rollback could restore. */
  readonly before: number
  /** `train:` of mlops.yaml. */
  readonly train: boolean
  readonly policy: { readonly file: string; readonly level: 1 | 2 | 3 } | null
  /** What keeps the policy from working; null where nobody asked. */
  readonly policyProblems: readonly string[] | null
  readonly retraining: 'never' | 'failed' | 'went through'
  /** Largest effect of the newest check as a multiple of its threshold, per 30 days since the version was trained. */
  readonly driftSpeed: number | null
  /** What autonomy of level 3 still lacks; empty when it is earned. */
  readonly missingForAutonomy: readonly string[]
}

export function gapsOf(facts: GapFacts): Gap[] {
  return [
    rated('deployment path', deploymentOf(facts)),
    rated('monitoring', signalOf(facts)),
    rated('versioning', versioningOf(facts)),
    rated('retraining', retrainingOf(facts)),
  ]
}

interface Question {
  readonly holds: boolean | null
  readonly good: string
  readonly bad: string
  readonly command: string
  readonly first?: string
}

const ask = ({ holds, good, bad, command, first }: Question): Evidence => ({
  holds,
  says: holds === false ? bad : good,
  command,
  first: first ?? null,
})

const deploymentOf = ({ model, version, gated, answers }: GapFacts): Evidence[] => [
  ask({
    holds: version !== null,
    good: 'a version is in production',
    bad: 'nothing is in production',
    command: `mlops status ${model}`,
  }),
  ask({
    holds: gated,
    good: 'its gate asks for more than a yes',
    bad: 'no metric, comparison or test stands before production',
    command: 'mlops help configuration',
    first: `write models.${model}.gates.production in mlops.yaml (docs/gates.md)`,
  }),
  ask({
    holds: answers,
    good: answers === null ? 'whether a service answers with it was not looked at' : 'a service answers with it',
    bad: 'none of its predictions is logged: nothing shows that a service uses it',
    command: `mlops predictions stats ${model}`,
    first: `let the service log them: mlops.monitor("${model}").watch(X) (docs/prediction-log.md)`,
  }),
]

const UNCHECKED = { never: 'it was never checked for drift', 'too long ago': 'its last check is too old', recently: '' }

const signalOf = ({ model, baseline, checked, channels, every, overdue }: GapFacts): Evidence[] => [
  ask({
    holds: baseline,
    good: 'it has a baseline',
    bad: 'it has no baseline, so nothing can be compared',
    command: `mlops register ${model} --artifact FILE --baseline DATA`,
  }),
  ask({
    holds: checked === 'recently',
    good: 'it was checked lately',
    bad: UNCHECKED[checked],
    command: `mlops drift ${model}`,
  }),
  ask({
    holds: channels > 0,
    good: 'somebody is told',
    bad: 'nobody is told when it drifts',
    command: `mlops notify test --model ${model}`,
    first: `write notify: ["slack:#ml-alerts"] under models.${model} in mlops.yaml`,
  }),
  ask({
    holds: every !== null && !overdue,
    good: `checks are due every ${every}`,
    bad: every === null ? 'checks are made by hand' : `checks are due every ${every} and have stopped`,
    command: `mlops drift ${model} --cron`,
  }),
]

const versioningOf = ({ model, run, code, data, before }: GapFacts): Evidence[] => [
  ask({
    holds: run !== null,
    good: `its run is ${run}`,
    bad: 'no run is recorded: it could not be trained again',
    command: `mlops track --model ${model} -- CMD`,
  }),
  ask({
    holds: code,
    good: 'its code is known',
    bad: 'its code is not known to the commit',
    command: `mlops track --model ${model} -- CMD`,
  }),
  ask({
    holds: data,
    good: 'its data is known by hash',
    bad: 'its data is not known',
    command: `mlops track --model ${model} --data train=PATH -- CMD`,
  }),
  ask({
    holds: before > 0,
    good: `${before} earlier version${before === 1 ? '' : 's'} to roll back to`,
    bad: 'there is no earlier version to roll back to',
    command: `mlops model history ${model}`,
    first: 'the next promotion makes one',
  }),
]

function retrainingOf({ model, train, policy, policyProblems, retraining }: GapFacts): Evidence[] {
  const command = `mlops retrain ${model} --plan`
  return [
    ask({
      holds: train || policy !== null,
      good: 'how it is trained is known',
      bad: 'how it is trained is not known',
      command,
      first: `write train: python train.py under models.${model} in mlops.yaml`,
    }),
    ask({
      holds: policy !== null,
      good: `${policy?.file} says when to retrain`,
      bad: 'no policy says when to retrain',
      command,
      first: 'write retraining-policy.yaml (docs/lifecycle.md)',
    }),
    ...(policy === null ? [] : [ask({ ...policyWorks(policyProblems), command })]),
    ask({
      holds: retraining === 'went through',
      good: 'a retraining went through',
      bad: retraining === 'failed' ? 'the last retraining failed' : 'it was never retrained',
      command,
    }),
  ]
}

const policyWorks = (problems: readonly string[] | null): Pick<Question, 'holds' | 'good' | 'bad'> => ({
  holds: problems === null ? null : problems.length === 0,
  good: problems === null ? 'whether the policy can fire was not looked at' : 'the policy can fire',
  bad: `the policy cannot work: ${problems?.join('; ')}`,
})

function rated(name: GapName, evidence: readonly Evidence[]): Gap {
  const bad = evidence.filter(({ holds }) => holds === false).length
  const open = evidence.some(({ holds }) => holds === null)
  const some = bad === evidence.length ? 'open' : 'partly'
  return { name, rating: bad > 0 ? some : open ? 'unknown' : 'closed', evidence }
}

/** What fails silently costs most: the signal first, then versions with rollback, then retraining, and autonomy last. */
export function nextOfGaps(fleet: readonly GapFacts[]): NextStep | null {
  const live = fleet.filter(({ version }) => version !== null)
  for (const name of ['monitoring', 'versioning'] as const) {
    for (const facts of live) {
      const first = gapsOf(facts)
        .find((gap) => gap.name === name)
        ?.evidence.find(({ holds }) => holds === false)
      if (first !== undefined) return step(facts, name, first)
    }
  }
  const drifting = [...live].sort((a, b) => (b.driftSpeed ?? 0) - (a.driftSpeed ?? 0))
  for (const facts of drifting) {
    const first = retrainingOf(facts).find(({ holds }) => holds === false)
    if (first !== undefined) return step(facts, 'retraining', first)
  }
  const earned = live.find(({ policy, missingForAutonomy }) => policy?.level === 2 && missingForAutonomy.length === 0)
  if (earned === undefined) return null
  return {
    command: `mlops retrain ${earned.model} --plan`,
    why: `autonomy: ${earned.model} has the track record for it; ${earned.policy?.file} may say autonomy: 3`,
  }
}

const step = ({ model }: GapFacts, name: GapName, { says, command, first }: Evidence): NextStep => ({
  command,
  why: `${name} of ${model}: ${says}${first === null ? '' : `; ${first}`}`,
})
