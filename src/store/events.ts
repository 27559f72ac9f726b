/**
 * The events of a model's log, as plain types: one file `models/<name>/log/<n>.json` each (docs/store-format.md).
 *
 * Only shapes belong here. Folding a log into the state of a model is in `fold.ts`; writing one is in `log.ts`;
 * deciding that one should be written is in `src/lifecycle/`.
 */
import type { Actor } from '../core/context.ts'
import type { Digest } from '../core/digest.ts'

/** Where a stage points after an event. */
export interface StageEntry {
  readonly version: number
  /** Digest of that version's manifest. */
  readonly manifest: Digest
  /** The event that set this entry. */
  readonly seq: number
  /** The event whose entry a rollback restores; null when nothing was there before. */
  readonly back: number | null
  /** A version that gets a part of the traffic beside this one, and no more than that: the stage has not moved. */
  readonly rollout?: RolloutEntry
}

/** A staged rollout as it stands: what share of a stage's traffic another version gets. */
export interface RolloutEntry {
  readonly version: number
  readonly manifest: Digest
  /** The event that began it. */
  readonly start: number
  /** The event that set this weight. */
  readonly seq: number
  /** Percent of the traffic, above 0 and below 100. */
  readonly weight: number
  /** The weights it goes through, ascending, the last being 100: there the stage itself moves. */
  readonly steps: readonly number[]
}

/** The whole map of stages as it is after an event. */
export type Stages = Readonly<Record<string, StageEntry>>

/** A file of the store that an event relies on, copied into the objects so that it can never change. */
export interface Pin {
  readonly sha256: Digest
  readonly size: number
}

/** The run behind a version: its id and its two write-once records, pinned as objects. */
export interface RunPin {
  readonly id: string
  readonly run: Pin
  /** Absent only for a run that had not ended, which `register` warns about. */
  readonly end?: Pin
}

/** Where an imported version comes from, as its archive says (docs/transfer.md). Nothing of it was seen here. */
export interface ImportedFrom {
  /** Digest of the whole archive. */
  readonly archive: Digest
  /** Id of the store it was exported from, and what it was called there. */
  readonly store: string
  readonly model: string
  readonly version: number
  /** Its manifest there; another one than here when it was renamed, or where the scan here says something else. */
  readonly manifest: Digest
  readonly registered: { readonly time: string; readonly by: Actor }
  /** The archive's `origin.json`, which holds the register event of that store. */
  readonly origin: Pin
  /** What else the archive held: uncommitted changes and package lock of the run, origins of earlier imports. */
  readonly kept: readonly Pin[]
}

export interface RegisterBody {
  readonly version: number
  readonly manifest: Digest
  readonly tags: readonly string[]
  readonly run?: RunPin
  readonly message?: string
  readonly imported?: ImportedFrom
}

/** One line of a gate's table, as it was judged. */
export interface GateCheck {
  /** `min_auc`, `compare_to`, `baseline`, `approval` … as written in the configuration. */
  readonly name: string
  /** The metric, where several checks have one name. */
  readonly metric?: string
  readonly required: string
  readonly actual: string
  readonly verdict: 'pass' | 'fail' | 'inconclusive' | 'waived'
  /** One sentence when `required` and `actual` do not say enough: no champion to beat, test set unproven. */
  readonly note?: string
  /** The figures behind the verdict, where it rests on a comparison of rows. */
  readonly evidence?: GateEvidence
  /** Who let a failing check pass; the verdict is `waived`. */
  readonly waiver?: { readonly owner: string; readonly reason: string; readonly expires: string }
}

/** An estimate with its interval, as `src/evaluation/` computed it. */
export interface GateEvidence {
  /** `paired bootstrap`, `DeLong`, `McNemar`, `Wilson` … */
  readonly method: string
  readonly estimate: number
  readonly interval: readonly [number, number]
  /** Coverage of the interval, 0 to 1. */
  readonly confidence: number
  readonly rows: number
  readonly p?: number
  /** Of the draws, where it was resampled. */
  readonly seed?: number
}

export interface GateResult {
  readonly verdict: 'pass' | 'fail'
  readonly checks: readonly GateCheck[]
  /** How many of the checks did not pass and were let through; older events do not say. */
  readonly waived?: number
  /** What the verdict is bound to: it is void when any of these changes. */
  readonly bound: {
    readonly manifest: Digest
    readonly policy: Digest
    readonly champion?: Digest
    /** Of the test set that the metrics were measured on, where it is known. */
    readonly test?: Digest
  }
}

/** How a human's word reached us. */
export interface Approval {
  readonly name: string
  /**
   * `claimed`: typed by hand; `ci`: supplied by a CI system, `url` is its run. `prompt`: answered on a terminal;
   * `policy`: no person, a policy that earned it.
   */
  readonly origin: 'claimed' | 'prompt' | 'ci' | 'policy'
  readonly url?: string
  readonly reason?: string
  /** Of a word given before the move: when. RFC 3339. */
  readonly time?: string
}

/** A person's word ahead of the move. It holds while the version and the rules of the stage are what they were. */
export interface ApproveBody {
  readonly stage: string
  readonly version: number
  readonly approval: Approval
  /** It has lapsed when either differs. */
  readonly bound: { readonly manifest: Digest; readonly policy: Digest }
}

export interface PromoteBody {
  readonly stage: string
  readonly version: number
  /** The version that held the stage before, if any. */
  readonly from: number | null
  readonly gate: GateResult
  readonly approval?: Approval
  /** All of them, the first included, where more than one person approved. */
  readonly approvals?: readonly Approval[]
  readonly reason?: string
  /** The event that began the rollout which this move completes. */
  readonly rollout?: number
  /** Of such a move: what the comparison of the two versions said last. */
  readonly comparison?: RolloutComparison
}

/** What a comparison of the two versions of a rollout said, as an event keeps it (docs/rollout.md). */
export interface RolloutComparison {
  readonly verdict: 'better' | 'holds' | 'breach' | 'hold'
  readonly since: string
  readonly until: string
  readonly summary: string
  /** Of the margins that it was judged by; older events do not say. */
  readonly margins?: Digest
}

/**
 * A staged rollout: `start` lets a version that passed the gate of the stage have a part of its traffic, `advance`
 * raises that part, `abort` ends it. None of them moves the stage; completing it is a `promote`.
 */
export interface RolloutBody {
  readonly stage: string
  /** The version that is rolled out. */
  readonly version: number
  /** The version that holds the stage, and keeps the rest of the traffic. */
  readonly from: number
  readonly action: 'start' | 'advance' | 'abort'
  /** Percent of the traffic from now on; 0 after an `abort`. */
  readonly weight: number
  readonly steps: readonly number[]
  /** Of a `start`: what let it in, and whose word. */
  readonly gate?: GateResult
  readonly approvals?: readonly Approval[]
  /** Of a `start`: digest of the margins that its versions are to be compared by; older events do not say. */
  readonly margins?: Digest
  readonly reason?: string
  /** Of `advance` and `abort`: what the comparison of the two versions said, if it was asked. */
  readonly comparison?: RolloutComparison
}

export interface RollbackBody {
  readonly stage: string
  readonly version: number
  readonly from: number
  /** The event whose entry was restored. */
  readonly restores: number
  readonly reason?: string
  /**
   * Did the old version fit today's data? `drifted`: its inputs did not; `worse`: its evaluation on today's labels did
   * not; `skipped` by `--no-verify`, `not determined` without data or in time.
   */
  readonly fit: 'fits' | 'drifted' | 'worse' | 'inconclusive' | 'not determined' | 'skipped'
  /** Its recorded evaluation, run again on the labelled rows of today; absent where that was not possible. */
  readonly evaluation?: {
    readonly rows: number
    readonly now: Readonly<Record<string, number>>
    /** As recorded at registration. */
    readonly then: Readonly<Record<string, number | string>>
    /** Against what it had then and the bounds of the stage (docs/lifecycle.md, Roll back). */
    readonly verdict?: 'holds' | 'worse' | 'inconclusive'
  }
}

export interface TagBody {
  readonly version: number
  readonly add: readonly string[]
  readonly remove: readonly string[]
}

/** A baseline of the model, used where a version has none of its own. */
export interface BaselineBody {
  readonly profile: Pin
  readonly data: { readonly sha256: Digest; readonly rows: number; readonly columns: number }
}

export interface BodyByType {
  readonly register: RegisterBody
  readonly promote: PromoteBody
  readonly rollback: RollbackBody
  readonly rollout: RolloutBody
  readonly approve: ApproveBody
  readonly tag: TagBody
  readonly baseline: BaselineBody
}

export type EventType = keyof BodyByType

/** What a stage must still be for the event to be true: its entry's `seq`, or null for an empty stage. */
export type Expect = Readonly<Record<string, number | null>>

interface EventOf<T extends EventType> {
  readonly seq: number
  /** sha256 of the bytes of the event before; of `registry.json` for the first. */
  readonly prev: Digest
  /** The writer's name for this operation: the same id means the same operation, already done. */
  readonly op_id: string
  /** Digest of what was asked for, so that an idempotency key used for another request is noticed. */
  readonly request: Digest
  readonly model: string
  readonly type: T
  readonly expect?: Expect
  readonly body: BodyByType[T]
  readonly stages: Stages
  readonly actor: Actor
  readonly tool: string
  /** RFC 3339, UTC, milliseconds. Informative: order is given by `seq` alone. */
  readonly time: string
}

/** A union over the types, so that `event.type === 'promote'` narrows `event.body`. */
export type ModelEvent = { [T in EventType]: EventOf<T> }[EventType]

/** An event that let a version into a stage. */
export type MoveEvent = Extract<ModelEvent, { type: 'promote' | 'rollback' }>
export const isMove = (event: ModelEvent): event is MoveEvent => event.type === 'promote' || event.type === 'rollback'

/** An event before the log gives it its place: what `plan()` produces. */
export type EventDraft = {
  [T in EventType]: Omit<EventOf<T>, 'seq' | 'prev' | 'stages' | 'model'>
}[EventType]

/** Is this record, which its log vouches for, an event of that model and not one that was put there from elsewhere? */
export function isModelEvent(
  record: Readonly<Record<string, unknown>>,
  model: string,
): record is ModelEvent & typeof record {
  const { type, body, stages } = record
  const known: Readonly<Record<EventType, true>> = {
    register: true,
    promote: true,
    rollback: true,
    rollout: true,
    approve: true,
    tag: true,
    baseline: true,
  }
  const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null
  return (
    record.model === model &&
    typeof type === 'string' &&
    Object.hasOwn(known, type) &&
    isObject(body) &&
    isObject(stages)
  )
}
