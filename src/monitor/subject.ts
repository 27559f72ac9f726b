/**
 * The version that a check is about, with what stands behind it: the stage it is in, since when, the run, the data.
 * Facts alone; what they mean for an alert is said in `alert.ts`.
 */
import type { ModelRef } from '../core/names.ts'
import type { ModelState, VersionState } from '../store/fold.ts'
import type { Manifest } from '../store/manifest.ts'
import { resolveVersion } from '../store/resolve.ts'
import type { Store } from '../store/store.ts'

export interface Subject {
  readonly ref: ModelRef
  readonly state: ModelState
  readonly version: VersionState
  readonly manifest: Manifest
  /** The stage that was asked for, else the one that the version is in, production first; null for none. */
  readonly stage: string | null
  /** When the version came to that stage; milliseconds since 1970. */
  readonly entered: number | null
  /** Who put it there. */
  readonly by: string | null
}

/** @throws notFound `MODEL_NOT_FOUND`, `VERSION_NOT_FOUND`, `STAGE_EMPTY` */
export async function subjectOf(store: Store, ref: ModelRef): Promise<Subject> {
  const state = await store.models.state(ref.model)
  const version = resolveVersion(state, ref, 'production')
  const manifest = await store.models.manifest(version.manifest)
  const stage = stageOf(state, ref, version.version)
  const seq = stage === null ? undefined : state.stages[stage]?.seq
  const event = seq === undefined ? undefined : state.events[seq - 1]
  return {
    ref,
    state,
    version,
    manifest,
    stage,
    entered: event === undefined ? null : Date.parse(event.time),
    by: event?.actor.name ?? null,
  }
}

function stageOf(state: ModelState, { selector }: ModelRef, version: number): string | null {
  if (selector !== undefined && 'stage' in selector) return selector.stage
  const held = Object.entries(state.stages).flatMap(([stage, entry]) => (entry.version === version ? [stage] : []))
  return held.includes('production') ? 'production' : (held.sort()[0] ?? null)
}
