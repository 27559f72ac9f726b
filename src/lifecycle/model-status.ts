/**
 * One model's answers to the three questions, its rank in the fleet and the one next step. Pure: the facts are
 * collected in `status.ts`.
 *
 * Ranks, worst first: the log is damaged · drift in production · production never checked · last check inconclusive ·
 * last check too old · nothing in production · stable.
 */
import type { Digest } from '../core/digest.ts'
import type { Approval } from '../store/events.ts'
import type { ModelState } from '../store/fold.ts'
import type { Health } from './health.ts'
import { approvalsOfEvent } from './history.ts'
import { eventAt, standing } from './operation.ts'
import type { VersionDetail } from './version.ts'

export const RANKS = [
  'damaged',
  'drift',
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
}

export interface NextStep {
  readonly command: string
  readonly why: string
}

export interface ModelStatus {
  readonly model: string
  readonly rank: Rank
  readonly versions: number
  readonly production: ProductionStatus | null
  /** Of the version in production; null while none is. */
  readonly health: Health | null
  readonly stages: Readonly<Record<string, number>>
  readonly pending: readonly Pending[]
  /** Null when there is nothing to do. */
  readonly next: NextStep | null
  /** Why the model cannot be read. */
  readonly problem: string | null
}

/** @param detail of the version in production */
export function modelStatus(state: ModelState, detail: VersionDetail | null, health: Health | null): ModelStatus {
  const production = detail === null ? null : productionOf(state, detail)
  const stages = Object.fromEntries(
    Object.entries(state.stages)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([stage, { version }]) => [stage, version]),
  )
  const pending = pendingOf(state)
  const partial = { model: state.model, versions: state.versions.length, production, health, stages, pending }
  const rank = rankOf(health)
  const hasBaseline = detail?.baseline != null || state.baseline !== undefined
  return { ...partial, rank, next: nextStep(partial, rank, hasBaseline), problem: null }
}

export const damagedStatus = (model: string, problem: string): ModelStatus => ({
  model,
  rank: 'damaged',
  versions: 0,
  production: null,
  health: null,
  stages: {},
  pending: [],
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
  if (health.verdict === 'drift' || health.verdict === 'never checked') return health.verdict
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
    approvals: approvalsOfEvent(event),
    reason: event.type === 'promote' || event.type === 'rollback' ? (event.body.reason ?? null) : null,
    run: detail.run?.id ?? null,
    data: trained === undefined ? null : { name: trained.name, sha256: trained.sha256, rows: trained.rows ?? null },
    code: code === null ? null : { commit: code.commit, branch: code.branch, dirty: code.dirty },
  }
}

/** Versions that wait for somebody to decide; what production has seen already waits for nothing. */
function pendingOf(state: ModelState): Pending[] {
  const seen = new Set(
    state.events.flatMap((event) =>
      (event.type === 'promote' || event.type === 'rollback') && event.body.stage === 'production'
        ? [event.body.version]
        : [],
    ),
  )
  const pending: Pending[] = []
  for (const stage of Object.keys(state.stages).sort()) {
    const entry = stage === 'production' ? null : standing(state, stage)
    if (entry === null || seen.has(entry.version)) continue
    pending.push({ kind: 'awaiting approval', version: entry.version, stage, since: entry.since })
  }
  const staged = new Set(Object.values(state.stages).map(({ version }) => version))
  const newest = state.versions.at(-1)
  // Only the newest: whoever registers ten candidates means the last one.
  const champion = state.stages.production?.version ?? 0
  if (newest !== undefined && newest.version > champion && !seen.has(newest.version) && !staged.has(newest.version)) {
    pending.push({ kind: 'candidate', version: newest.version, stage: null, since: newest.registered.time })
  }
  return pending
}

type Facts = Omit<ModelStatus, 'rank' | 'next' | 'problem'>

function nextStep({ model, production, pending }: Facts, rank: Rank, hasBaseline: boolean): NextStep | null {
  const waiting = pending.find(({ kind }) => kind === 'awaiting approval')
  const candidate = pending.find(({ kind }) => kind === 'candidate')
  const approve = (version: number): string => `mlops promote ${model}@${version} --to production --approve NAME`
  const check = hasBaseline
    ? `mlops drift ${model} --current DATA`
    : `mlops register ${model} --artifact FILE --baseline DATA`
  switch (rank) {
    case 'drift': {
      const why = `production (@${production?.version ?? '?'}) drifts`
      if (waiting !== undefined)
        return { command: approve(waiting.version), why: `${why}; @${waiting.version} waits in ${waiting.stage}` }
      return { command: `mlops retrain ${model}`, why }
    }
    case 'never checked':
      return {
        command: check,
        why: hasBaseline
          ? 'nobody has looked whether production still fits its data'
          : 'production has no baseline, so its drift cannot be checked; register a version that has one',
      }
    case 'inconclusive':
      return { command: check, why: 'the last check had too little data to say anything' }
    case 'check too old':
      return { command: check, why: 'the last check says nothing about today' }
    case 'not in production': {
      const version = waiting?.version ?? candidate?.version
      return version === undefined ? null : { command: approve(version), why: 'nothing is in production' }
    }
    default:
      if (waiting !== undefined) {
        return { command: approve(waiting.version), why: `@${waiting.version} waits in ${waiting.stage} for approval` }
      }
      if (candidate === undefined || production === null) return null
      return {
        command: `mlops model diff ${model}@${production.version} ${model}@${candidate.version}`,
        why: `@${candidate.version} is newer than production and was not promoted`,
      }
  }
}
