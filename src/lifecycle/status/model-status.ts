/**
 * One model's answers to the three questions, its rank in the fleet and the one next step. Pure: the facts are
 * collected in `status.ts`.
 *
 * Ranks, worst first: the log is damaged · predictions are logged and nobody ever checked them · drift in production ·
 * the service or its quality is not as it should be · checks have stopped · production never checked · last check
 * inconclusive · last check too old · nothing in production · stable.
 */
import type { Digest } from '../../core/digest.ts'
import { versionName } from '../../core/names.ts'
import { brokenColumnsCommand, retrainAgainCommand, retrainCommand } from '../../core/next-command.ts'
import { WEEK } from '../../project/duration.ts'
import type { Approval } from '../../store/events.ts'
import type { ModelState } from '../../store/fold.ts'
import type { Outlook } from '../gate/outlook.ts'
import { eventAt, standing } from '../operation.ts'
import type { UncountedApproval } from '../promote/standing-approvals.ts'
import { approvalsOfEvent } from '../versions/history.ts'
import { stagesOf, type VersionDetail } from '../versions/version.ts'
import type { Health } from './health.ts'
import type { LastRetraining } from './last-retraining.ts'
import { type NextStep, stageAfter, stepForward } from './next-step.ts'
import type { RetrainingEffect } from './retraining-effect.ts'

export type { NextStep } from './next-step.ts'

export const RANKS = [
  'damaged',
  'logged, never checked',
  'drift',
  'unhealthy',
  'checks stopped',
  'never checked',
  'inconclusive',
  'check too old',
  'not in production',
  'stable',
] as const
export type Rank = (typeof RANKS)[number]

export interface ProductionStatus {
  readonly version: number
  readonly manifest: Digest
  readonly since: string
  /** Who put it there, and how: a rollback needs no approval. */
  readonly by: string
  readonly move: 'promote' | 'rollback'
  /** The version that was there before: the one that was given up, when it was a rollback. */
  readonly from: number | null
  readonly approvals: readonly Approval[]
  readonly reason: string | null
  readonly run: string | null
  readonly data: { readonly name: string; readonly sha256: Digest; readonly rows: number | null } | null
  readonly code: { readonly commit: string | null; readonly branch: string | null; readonly dirty: boolean } | null
}

export interface Pending {
  /** `awaiting approval`: in another stage, never yet in production; `candidate`: newer than production, in no stage. */
  readonly kind: 'awaiting approval' | 'candidate'
  readonly version: number
  readonly stage: string | null
  readonly since: string
  /** What the gate of the stage that comes next for it will say. */
  readonly outlook: Outlook
  /** Who has approved it, for that stage or a later one; null where nobody is asked, or where that cannot be read. */
  readonly approval: PendingApproval | null
}

export interface PendingApproval {
  readonly stage: string
  /** Words given ahead of the move that still count. */
  readonly approved: readonly Approval[]
  /** How many more people must approve. */
  readonly missing: number
  /** Words that do not count any more, and why. */
  readonly uncounted: readonly UncountedApproval[]
}

/** A version that waits, before its gate was looked at. */
export type Waiting = Omit<Pending, 'outlook' | 'approval'> & { readonly next: string }

export interface ModelStatus {
  readonly model: string
  readonly rank: Rank
  readonly versions: number
  readonly production: ProductionStatus | null
  /** Of the version in production; null while none is. */
  readonly health: Health | null
  readonly stages: Readonly<Record<string, number>>
  readonly pending: readonly Pending[]
  /** What the version in production is without, in words; empty while none is there. */
  readonly lacks: readonly string[]
  /** The last one under the version that is in production now. */
  readonly retraining: LastRetraining | null
  /** Whether the retraining that made the version in production helped; null where it comes from none. */
  readonly effect: RetrainingEffect | null
  /** Null when there is nothing to do. */
  readonly next: NextStep | null
  /** Why the model cannot be read. */
  readonly problem: string | null
}

export interface StatusFacts {
  /** Of the version in production. */
  readonly detail: VersionDetail | null
  readonly health: Health | null
  readonly pending: readonly Pending[]
  readonly retraining: LastRetraining | null
  /** Looked at for one model, not for the fleet. */
  readonly effect?: RetrainingEffect | null
  /** More than a person's yes stands before production. */
  readonly gated: boolean
}

export function modelStatus(state: ModelState, facts: StatusFacts): ModelStatus {
  const { detail, health, pending } = facts
  const production = detail === null ? null : productionOf(state, detail)
  const stages = Object.fromEntries(
    Object.entries(state.stages)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([stage, { version }]) => [stage, version]),
  )
  // Under another version in production all is new, also for `retrain`.
  const retraining = facts.retraining?.champion === (production?.manifest ?? null) ? facts.retraining : null
  const versions = state.versions.length
  const hasBaseline = detail?.baseline != null || state.baseline !== undefined
  const lacks = production === null ? [] : lackOf(hasBaseline, facts.gated)
  const { effect = null } = facts
  const partial = { model: state.model, versions, production, health, stages, pending, lacks, retraining, effect }
  const rank = rankOf(health)
  return { ...partial, rank, next: nextStep(partial, rank, hasBaseline), problem: null }
}

const lackOf = (hasBaseline: boolean, gated: boolean): string[] => [
  ...(hasBaseline ? [] : ['no baseline: its drift cannot be checked']),
  ...(gated ? [] : ["no gate: nothing but a person's yes stands before production"]),
]

export const damagedStatus = (model: string, problem: string): ModelStatus => ({
  model,
  rank: 'damaged',
  versions: 0,
  production: null,
  health: null,
  stages: {},
  pending: [],
  lacks: [],
  retraining: null,
  effect: null,
  next: { command: 'mlops store verify', why: `${model} cannot be read` },
  problem,
})

/** Worst first; of the same rank the ones that wait for somebody, then by name. */
export function worstFirst(a: ModelStatus, b: ModelStatus): number {
  const rank = RANKS.indexOf(a.rank) - RANKS.indexOf(b.rank)
  if (rank !== 0) return rank
  const waiting = Number(b.pending.length > 0) - Number(a.pending.length > 0)
  return waiting !== 0 ? waiting : a.model < b.model ? -1 : 1
}

function rankOf(health: Health | null): Rank {
  if (health === null) return 'not in production'
  if (health.verdict === 'never checked') return health.logged === null ? 'never checked' : 'logged, never checked'
  if (health.verdict === 'drift') return 'drift'
  if (health.breaches.length > 0) return 'unhealthy'
  if (health.overdue) return 'checks stopped'
  if (health.stale) return 'check too old'
  return health.verdict
}

function productionOf(state: ModelState, detail: VersionDetail): ProductionStatus | null {
  const entry = standing(state, 'production')
  const event = entry === null ? undefined : eventAt(state, entry.seq)
  if (entry === null || event === undefined) return null
  const trained = detail.data.find(({ name }) => name === 'train') ?? detail.baseline?.data ?? detail.data[0]
  const { code } = detail
  return {
    version: entry.version,
    manifest: entry.manifest,
    since: entry.since,
    by: entry.by,
    move: event.type === 'rollback' ? 'rollback' : 'promote',
    from: event.type === 'promote' || event.type === 'rollback' ? event.body.from : null,
    approvals: approvalsOfEvent(event),
    reason: event.type === 'promote' || event.type === 'rollback' ? (event.body.reason ?? null) : null,
    run: detail.run?.id ?? null,
    data: trained === undefined ? null : { name: trained.name, sha256: trained.sha256, rows: trained.rows ?? null },
    code: code === null ? null : { commit: code.commit, branch: code.branch, dirty: code.dirty },
  }
}

/** Versions that wait for somebody to decide; what production has seen already waits for nothing. */
export function waitingVersions(state: ModelState, configured: readonly string[]): Waiting[] {
  const seen = new Set(
    state.events.flatMap((event) =>
      (event.type === 'promote' || event.type === 'rollback') && event.body.stage === 'production'
        ? [event.body.version]
        : [],
    ),
  )
  const pending: Waiting[] = []
  const next = (version: number): string => stageAfter(configured, stagesOf(state, version)) ?? 'production'
  for (const stage of Object.keys(state.stages).sort()) {
    const entry = stage === 'production' ? null : standing(state, stage)
    if (entry === null || seen.has(entry.version)) continue
    pending.push({
      kind: 'awaiting approval',
      version: entry.version,
      stage,
      since: entry.since,
      next: next(entry.version),
    })
  }
  const staged = new Set(Object.values(state.stages).map(({ version }) => version))
  const newest = state.versions.at(-1)
  // Only the newest: whoever registers ten candidates means the last one.
  const champion = state.stages.production?.version ?? 0
  const isNew = newest !== undefined && newest.version > champion && !seen.has(newest.version)
  // What was in a stage and is in none any more was decided upon: somebody took it out.
  if (isNew && !staged.has(newest.version) && !wasStaged(state, newest.version)) {
    const { version, registered } = newest
    pending.push({ kind: 'candidate', version, stage: null, since: registered.time, next: next(version) })
  }
  return pending
}

const wasStaged = ({ events }: ModelState, version: number): boolean =>
  events.some((event) => (event.type === 'promote' || event.type === 'rollback') && event.body.version === version)

type Facts = Omit<ModelStatus, 'rank' | 'next' | 'problem'>

/** Null where all is done, or somebody is at it. */
function nextStep(facts: Facts, rank: Rank, hasBaseline: boolean): NextStep | null {
  const { model, production, pending, health } = facts
  const open = pending.filter(({ outlook }) => outlook.verdict !== 'refuses')
  const waiting = open.find(({ kind }) => kind === 'awaiting approval')
  const candidate = open.find(({ kind }) => kind === 'candidate')
  const isLogged = health?.window != null || health?.logged != null
  const check = hasBaseline
    ? `mlops drift ${model}${isLogged ? '' : ' --current DATA'}`
    : `mlops register ${model} --artifact FILE --baseline DATA`
  switch (rank) {
    case 'drift':
      return answerToDrift(facts, open)
    case 'unhealthy':
      return { command: inspection(model, health), why: 'the service is not as it was, or not as it should be' }
    case 'checks stopped':
      return { command: check, why: `a check is due every ${health?.every ?? '?'}: look why its schedule stopped` }
    case 'logged, never checked':
    case 'never checked':
      return {
        command: check,
        why: hasBaseline
          ? 'nobody has looked whether production still fits its data'
          : 'production has no baseline, so its drift cannot be checked; register a version that has one',
      }
    case 'inconclusive':
      return { command: longer(check, health), why: 'the last check had too little data to say anything' }
    case 'check too old':
      return { command: check, why: 'the last check says nothing about today' }
    case 'not in production': {
      const version = waiting ?? candidate ?? pending[0]
      return version === undefined
        ? null
        : stepForward(model, version.version, version.outlook, 'nothing is in production', approvedOf(version))
    }
    default:
      if (waiting !== undefined) {
        return stepForward(model, waiting.version, waiting.outlook, waits(waiting), approvedOf(waiting))
      }
      if (candidate === undefined || production === null) return null
      // Its gate was not asked yet: that is the retraining's to do.
      if (facts.retraining?.outcome === 'stopped' && facts.retraining.version === candidate.version) {
        return {
          command: `mlops retrain ${model}`,
          why: `its retraining stopped ${facts.retraining.message}; this goes on with it`,
        }
      }
      return {
        command: `mlops model diff ${model}@${production.version} ${model}@${candidate.version}`,
        why: `@${candidate.version} is newer than production and was not promoted`,
      }
  }
}

/** The figures of the window in which something was wrong. */
const inspection = (model: string, health: Health | null): string =>
  `mlops predictions stats ${model}${health?.window == null ? '' : ` --since ${health.window.since} --until ${health.window.until}`}`

/** A window that was too short is looked at again with twice its length, in whole weeks. */
function longer(check: string, health: Health | null): string {
  if (health?.window == null) return check
  const length = Date.parse(health.window.until) - Date.parse(health.window.since)
  return `${check} --window ${Math.max(2, Math.ceil((2 * length) / WEEK))}w`
}

function waits({ version, stage, approval }: Pending): string {
  if (stage === null) return `@${version} is in no stage`
  const names = approval?.approved.map(({ name }) => name).join(' and ')
  return names
    ? `@${version} waits in ${stage}, approved for ${approval?.stage} by ${names}`
    : `@${version} waits in ${stage} for approval`
}

const approvedOf = ({ approval, outlook }: Pending): number =>
  approval?.stage === outlook.stage ? approval.approved.length : 0

/** A version that waits; else a retraining, in the form that is not held back by how the last one ended. */
function answerToDrift({ model, production, health, retraining }: Facts, open: readonly Pending[]): NextStep | null {
  const why = `production (@${production?.version ?? '?'}) drifts`
  const [broken] = health?.broken ?? []
  // As the check itself said: no other version and no retraining mends what it is given.
  if (broken !== undefined && production !== null) {
    const others = (health?.broken.length ?? 1) - 1
    const columns = `${broken}${others > 0 ? ` and ${others} more` : ''}`
    const mend = `${columns} ${others > 0 ? 'are' : 'is'} broken: mend what gives the model its data, and check again`
    return { command: brokenColumnsCommand(versionName(model, production.version)), why: `${why}; ${mend}` }
  }
  const answer =
    open.find(({ kind }) => kind === 'awaiting approval') ?? open.find(({ version }) => version === retraining?.version)
  if (answer !== undefined) {
    return stepForward(model, answer.version, answer.outlook, `${why}; ${waits(answer)}`, approvedOf(answer))
  }
  const again = retrainAgainCommand(model)
  switch (retraining?.outcome) {
    case 'running':
      return null
    case 'stopped':
      return { command: `mlops retrain ${model}`, why: `${why}, and its retraining stopped` }
    case 'failed':
      return retraining.run === null
        ? { command: again, why: `${why}; the last retraining failed: mend its cause first` }
        : {
            command: `mlops run show ${retraining.run}`,
            why: `${why}, and the last retraining failed; once that is mended: ${again}`,
          }
    default:
  }
  if (production?.move === 'rollback') {
    return { command: again, why: `${why}, and was rolled back from @${production.from}; change the cause first` }
  }
  if (retraining !== null) {
    return { command: again, why: `${why}, and what the last retraining gave was not kept; change the cause first` }
  }
  return { command: retrainCommand(model, health?.data ?? null), why }
}
