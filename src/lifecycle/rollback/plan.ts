/**
 * Which entry a rollback restores, and what it moves. Pure.
 *
 * Promote pushes, rollback pops: 1, 2, 3 goes back to 2, then to 1. `--to V` goes to the nearest earlier holder on that
 * way back. A version that was given up by a rollback lies ahead: it comes back through the gate, by `promote`, alone.
 */
import type { Digest } from '../../core/digest.ts'
import { notFound, refused } from '../../core/errors.ts'
import { versionName } from '../../core/names.ts'
import { promotionCommand } from '../../core/next-command.ts'
import type { StageEntry } from '../../store/events.ts'
import type { ModelState } from '../../store/fold.ts'
import { eventAt, type Standing, standing, versionAt } from '../operation.ts'

export interface RollbackPlan {
  readonly model: string
  readonly stage: string
  readonly from: Standing
  readonly version: number
  readonly manifest: Digest
  /** The event whose entry is restored. */
  readonly restores: number
  /** When that entry was set. */
  readonly held: string
  /** `--to` names the version that is there: nothing would be done. */
  readonly already: boolean
}

/**
 * @param to the version to go back to; the previous holder when undefined
 * @param approvals how many people the gate of the stage asks for: for the command that goes forward
 * @throws notFound `STAGE_EMPTY`, `NOTHING_BEFORE`, `NEVER_HELD`, `VERSION_NOT_FOUND`; refused `ROLLBACK_FORWARD`
 */
export function planRollback(state: ModelState, stage: string, to: number | undefined, approvals = 0): RollbackPlan {
  const { model } = state
  const from = standing(state, stage)
  if (from === null) {
    throw notFound({
      code: 'STAGE_EMPTY',
      message: `No version of ${model} is in ${stage}, so there is nothing to roll back.`,
      hint: `See what is where: mlops status ${model}`,
    })
  }
  const entry =
    to === undefined ? previousEntry(state, stage, from, approvals) : entryOfVersion(state, stage, from, to, approvals)
  return {
    model,
    stage,
    from,
    version: entry.version,
    manifest: entry.manifest,
    restores: entry.seq,
    held: eventAt(state, entry.seq)?.time ?? '',
    already: to !== undefined && entry.seq === from.seq,
  }
}

/** Earlier holders of the stage on the way back, the previous one first. */
export function wayBack(state: ModelState, stage: string): StageEntry[] {
  const entries: StageEntry[] = []
  let back = state.stages[stage]?.back ?? null
  while (back !== null) {
    const entry = entryAt(state, stage, back)
    if (entry === undefined) break
    entries.push(entry)
    // Each entry's way back lies before it; anything else is no log we wrote, and would go round for ever.
    back = entry.back !== null && entry.back < back ? entry.back : null
  }
  return entries
}

/** The entry that event `seq` set for the stage. */
function entryAt(state: ModelState, stage: string, seq: number): StageEntry | undefined {
  const entry = eventAt(state, seq)?.stages[stage]
  return entry?.seq === seq ? entry : undefined
}

function previousEntry(state: ModelState, stage: string, from: Standing, approvals: number): StageEntry {
  const [entry] = wayBack(state, stage)
  if (entry !== undefined) return entry
  const name = versionName(state.model, from.version)
  throw notFound({
    code: 'NOTHING_BEFORE',
    message: `${name} is the first version in ${stage}; none was there before it.`,
    hint: `To reject it, put another version there: ${promotionCommand(`${state.model}@V`, stage, approvals)} --reason TEXT`,
    details: { model: state.model, stage, version: from.version },
  })
}

function entryOfVersion(state: ModelState, stage: string, from: Standing, to: number, approvals: number): StageEntry {
  const { model } = state
  const current = state.stages[stage]
  if (current?.version === to) return current
  const way = wayBack(state, stage)
  const entry = way.find(({ version }) => version === to)
  if (entry !== undefined) return entry
  const name = versionName(model, versionAt(state, to).version)
  const held = [...new Set(way.map(({ version }) => version))].filter((version) => version !== from.version)
  const enter = promotionCommand(name, stage, approvals)
  const before = held.length === 0 ? '' : `Before ${from.version} there were: ${held.join(', ')}. `
  const details = { model, stage, version: to, held }
  if (state.events.some((_, index) => entryAt(state, stage, index + 1)?.version === to)) {
    throw refused({
      code: 'ROLLBACK_FORWARD',
      message: `${name} was in ${stage} and was taken back, so it lies ahead of ${versionName(model, from.version)}: going there is no rollback, and its gate must let it in again.`,
      hint: `${before}To go forward: ${enter}`,
      details,
    })
  }
  throw notFound({
    code: 'NEVER_HELD',
    message: `${name} never was in ${stage}, so there is no way back to it.`,
    hint: `${before}A version enters a stage by: ${enter}`,
    details,
  })
}
