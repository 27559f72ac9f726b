/**
 * The state of a model as a fold over its events: versions, stages, history. Pure; there is no second copy of the
 * truth. `verify` compares every event's stage map with `nextStages`.
 */
import type { Digest } from '../core/digest.ts'
import type {
  BaselineBody,
  EventDraft,
  ImportedFrom,
  ModelEvent,
  RolloutBody,
  RunPin,
  StageEntry,
  Stages,
} from './events.ts'

export interface VersionState {
  readonly version: number
  readonly manifest: Digest
  readonly run: RunPin | undefined
  readonly message: string | undefined
  readonly tags: readonly string[]
  readonly registered: ModelEvent
}

export interface ModelState {
  readonly model: string
  /** seq of the newest event; 0 for a model without events. */
  readonly head: number
  readonly versions: readonly VersionState[]
  readonly stages: Stages
  readonly baseline: BaselineBody | undefined
  readonly events: readonly ModelEvent[]
}

/**
 * Where a version was registered before, if it came out of an archive; undefined for one that was registered here. The
 * paths that its run recorded were those of another machine, in somebody else's words: none of them is opened here.
 */
export const importedFrom = ({ registered }: VersionState): ImportedFrom | undefined =>
  registered.type === 'register' ? registered.body.imported : undefined

/** @param events in order of seq, starting at 1, without gaps (the log's reader guarantees it) */
export function fold(model: string, events: readonly ModelEvent[]): ModelState {
  const versions: VersionState[] = []
  let baseline: BaselineBody | undefined
  for (const event of events) {
    switch (event.type) {
      case 'register':
        versions.push({
          version: event.body.version,
          manifest: event.body.manifest,
          run: event.body.run,
          message: event.body.message,
          tags: event.body.tags,
          registered: event,
        })
        break
      case 'tag': {
        const index = event.body.version - 1
        const version = versions[index]
        if (version === undefined) break
        const { add, remove } = event.body
        const kept = version.tags.filter((tag) => !remove.includes(tag) && !add.includes(tag))
        versions[index] = { ...version, tags: [...kept, ...add] }
        break
      }
      case 'baseline':
        baseline = event.body
        break
      default:
        break
    }
  }
  const last = events.at(-1)
  return { model, head: last?.seq ?? 0, versions, stages: last?.stages ?? {}, baseline, events }
}

/**
 * The stage map after an event that would become number `seq`.
 *
 * A promote pushes: its entry remembers the event that set the entry before. A rollback pops: it restores the entry
 * that event `restores` had set, together with that entry's own way back; so 1, 2, 3 goes back to 2, then to 1. Both
 * end a rollout; a rollout itself moves nothing.
 *
 * @param entryOf the entry that an earlier event set for the stage
 */
export function nextStages(
  before: Stages,
  seq: number,
  draft: Pick<EventDraft, 'type' | 'body'>,
  entryOf: (stage: string, seq: number) => StageEntry | undefined,
  manifestOf: (version: number) => Digest | undefined,
): Stages {
  const event = draft as EventDraft
  if (event.type === 'promote') {
    const { stage, version } = event.body
    const manifest = manifestOf(version)
    if (manifest === undefined) throw new RangeError(`version ${version} is not registered`)
    return { ...before, [stage]: { version, manifest, seq, back: before[stage]?.seq ?? null } }
  }
  if (event.type === 'rollback') {
    const { stage, restores } = event.body
    const entry = entryOf(stage, restores)
    if (entry === undefined) throw new RangeError(`event ${restores} set no entry for ${stage}`)
    return { ...before, [stage]: { version: entry.version, manifest: entry.manifest, seq, back: entry.back } }
  }
  if (event.type === 'rollout')
    return { ...before, [event.body.stage]: withRollout(before, seq, event.body, manifestOf) }
  return before
}

/** The stage stays where it is; what changes is who gets a part of its traffic. */
function withRollout(
  before: Stages,
  seq: number,
  { stage, version, action, weight, steps }: RolloutBody,
  manifestOf: (version: number) => Digest | undefined,
): StageEntry {
  const entry = before[stage]
  const manifest = manifestOf(version)
  if (entry === undefined || manifest === undefined) throw new RangeError(`nothing can be rolled out in ${stage}`)
  const { rollout, ...stable } = entry
  if (action === 'abort') return stable
  const start = action === 'start' ? seq : (rollout?.start ?? seq)
  return { ...stable, rollout: { version, manifest, start, seq, weight, steps } }
}
