/**
 * `mlops drift calibrate`: how often the thresholds of today would have fired on data known to be fine, and which would
 * keep a promise. Nothing is stored. The statistics are in `src/drift/calibrate.ts`, the chunks in `chunks.ts`, writing
 * to mlops.yaml in `thresholds.ts`.
 */
import type { Context } from '../core/context.ts'
import {
  type ColumnEffects,
  type ComparedChunk,
  chanceOf,
  chunksNeeded,
  countAlarms,
  effectsOf,
  impossible,
  type Proposal,
  proposeThresholds,
  rateOf,
} from '../drift/calibrate.ts'
import { type PreparedCheck, prepareCheck } from '../drift/check.ts'
import { smallestShifts } from '../drift/detectable.ts'
import { codeSettings } from '../predictions/settings.ts'
import type { Project } from '../project/config.ts'
import type { Store } from '../store/store.ts'
import { isLogRequest } from './calibrate-request.ts'
import type { CalibratedColumn, CalibrateRequest, Calibration, ChunkSet } from './calibration.ts'
import { median } from './chunk-rows.ts'
import { chunksOfData, chunksOfLog } from './chunks.ts'
import { unloggedColumns } from './row-shape.ts'
import { subjectOf } from './subject.ts'

/**
 * @throws notFound `MODEL_NOT_FOUND`, `VERSION_NOT_FOUND`, `STAGE_EMPTY`, `BASELINE_MISSING`, `DATA_NOT_FOUND`; usage
 *   `CALIBRATION_DATA_MISSING`, `CURRENT_MISSING`, `WINDOW_INVALID`; inconclusive `CALIBRATION_EMPTY`;
 *   failed for data that cannot be read
 */
export async function calibrate(
  ctx: Context,
  project: Project,
  store: Store,
  request: CalibrateRequest,
): Promise<Calibration> {
  const subject = await subjectOf(store, request.ref)
  const { model } = subject.state
  const { threshold } = await codeSettings(store, model)
  const prepared = await prepareCheck(ctx, project, store, {
    ref: { model, selector: { version: subject.version.version } },
    ...(threshold === undefined ? {} : { fallbackThreshold: threshold }),
    ...(isLogRequest(request) ? { unlogged: await unloggedColumns(project, store, subject) } : {}),
  })
  const asked = { request, subject, prepared }
  const { set, compared, results, notes } = await (isLogRequest(request)
    ? chunksOfLog(ctx, project, store, asked)
    : chunksOfData(ctx, project, store, asked))
  const { metric } = prepared.options
  const judged = compared.filter(({ verdict }) => verdict !== 'inconclusive')
  const inconclusive = compared.length - judged.length
  // Small chunks speak up only when they fire: where most are silent the others are a selection, and show no rate.
  const isTelling = judged.length >= inconclusive
  const shown = judged.length === 0 ? compared : judged
  const effects = effectsOf(shown, metric)
  const options = {
    falseAlarms: request.falseAlarms,
    threshold: prepared.options.threshold,
    configured: configuredColumns(prepared),
    tighten: request.tighten,
  }
  const wanted = isTelling ? proposeThresholds(effects, options) : undefined
  const alarms = rateOf(judged.filter(({ verdict }) => verdict === 'drift').length, judged.length)
  const proposed = columnsOf(prepared, shown, effects, wanted)
  const hopeless = proposed.filter(isHopeless).map(({ column }) => column)
  const proposal =
    wanted === undefined || hopeless.length === 0
      ? wanted
      : impossible({ columns: effects, beyondHelp: [...wanted.beyondHelp, ...hopeless], options })
  return {
    model,
    version: subject.version.version,
    metric,
    threshold: prepared.options.threshold,
    reference: prepared.reference.name,
    data: set,
    chunks: results,
    alarms,
    inconclusive,
    columns: proposal === wanted ? proposed : columnsOf(prepared, shown, effects, proposal),
    proposal: proposal ?? null,
    needed: proposal === undefined ? neededFor(request, set, compared) : null,
    notes: [...prepared.reference.notes, ...notes, ...remarks(set, alarms.events, alarms.of)],
  }
}

/**
 * It fires always, and a threshold under which it would not is no check any more: no shift would be seen, or a target
 * would be let through that is written otherwise than in the baseline or that chose the rows.
 */
const isHopeless = ({ role, alarms, proposed, detects }: CalibratedColumn): boolean =>
  alarms.events === alarms.of && proposed !== null && (role === 'target' || detects?.proposed === null)

function neededFor(
  { falseAlarms }: CalibrateRequest,
  { rowsEach }: ChunkSet,
  compared: readonly ComparedChunk[],
): Calibration['needed'] {
  const chunks = chunksNeeded(falseAlarms)
  const most = Math.max(0, ...compared.map(({ rowsNeeded }) => rowsNeeded ?? 0))
  const chunkRows = most > rowsEach ? Math.ceil(most / 10) * 10 : null
  return { chunks, rows: chunks * (chunkRows ?? rowsEach), chunkRows }
}

const configuredColumns = ({ options }: PreparedCheck): ReadonlySet<string> =>
  new Set(
    Object.entries(options.columns ?? {}).flatMap(([name, { threshold }]) => (threshold === undefined ? [] : [name])),
  )

function columnsOf(
  prepared: PreparedCheck,
  compared: readonly ComparedChunk[],
  effects: readonly ColumnEffects[],
  proposal: Proposal | undefined,
): CalibratedColumn[] {
  const definitions = new Map(prepared.reference.profile.columns.map((column) => [column.name, column]))
  const configured = configuredColumns(prepared)
  const raw = new Map<string, ComparedChunk['columns'][number][]>()
  for (const { columns } of compared) {
    for (const column of columns) {
      const list = raw.get(column.column)
      if (list === undefined) raw.set(column.column, [column])
      else list.push(column)
    }
  }
  const columns = effects.flatMap((each): CalibratedColumn[] => {
    const { column, threshold, isSettable, noise } = each
    const definition = definitions.get(column)
    const results = raw.get(column) ?? []
    const [first] = results
    if (definition === undefined || first === undefined) return []
    const alarms = rateOf(
      countAlarms([each], () => threshold),
      results.length,
    )
    const measured = results.flatMap(({ effect }) => (effect === null ? [] : [effect]))
    const isDefault = isSettable && !configured.has(column)
    const wanted = proposal?.columns[column] ?? (isDefault ? (proposal?.threshold ?? threshold) : threshold)
    const shifts = smallestShifts(definition, prepared.options.metric, [threshold, wanted])
    const [today, proposed] = shifts ?? []
    return [
      {
        column,
        type: definition.type,
        role: definition.role,
        alarms,
        always: alarms.events * 2 >= alarms.of,
        effect: measured.length === 0 ? null : { median: median(measured), most: Math.max(...measured) },
        noise: measured.length === 0 ? null : noise,
        threshold,
        proposed: wanted === threshold ? null : wanted,
        detects:
          today === undefined || proposed === undefined
            ? null
            : { unit: today.unit, today: today.value, proposed: proposed.value },
      },
    ]
  })
  const excess = ({ effect, threshold }: CalibratedColumn) => (effect?.most ?? 0) / threshold
  return columns.sort((a, b) => b.alarms.events - a.alarms.events || excess(b) - excess(a))
}

/** What a person should know before believing the figures. */
function remarks(set: ChunkSet, alarms: number, chunks: number): string[] {
  const notes: string[] = []
  const isBeyondChance = chanceOf(alarms, chunks) < 0.05
  if (set.order === 'as they come' && isBeyondChance && set.kind !== 'prediction log') {
    notes.push(
      'Neighbouring rows are a chunk: a season or a slow drift within these data shows as false alarms here. --shuffle shows what sampling alone does',
    )
  }
  if (set.kind === 'prediction log' && isBeyondChance) {
    notes.push('These periods differ from the baseline beyond chance: were they all fine?')
  }
  if (set.order === 'shuffled') {
    notes.push('Shuffled rows show sampling noise alone: real windows are neighbours in time and differ by more')
  }
  return notes
}
