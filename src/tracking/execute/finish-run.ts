/**
 * The end of a tracked run: what the command left behind (files of values, artifacts, late facts), folded into
 * end.json. Starting and following the command belongs to `track.ts`.
 */
import type { Context } from '../../core/context.ts'
import { redactParams, saidRedacted } from '../../core/redact.ts'
import type { Project } from '../../project/config.ts'
import type { RunEnd, RunStart } from '../../store/run-records.ts'
import type { RunWriter, Store } from '../../store/store.ts'
import { storeArtifacts, wantedArtifacts } from '../capture/artifacts.ts'
import { type Capture, lateFacts, type SlowFacts } from '../capture/capture.ts'
import { type Notebooks, storeNotebooks } from '../capture/notebooks.ts'
import type { Before } from '../capture/written.ts'
import { foldStreams } from '../records/fold-run.ts'
import { readValueFiles } from '../values/value-files.ts'
import { type ChildEnd, exitCodeOf } from './child.ts'
import { backFromTrash } from './deleted-meanwhile.ts'
import type { TrackOutcome } from './track.ts'

export interface Opened {
  readonly writer: RunWriter
  readonly start: RunStart
  /** What run.json says of the slow facts. */
  readonly written: SlowFacts
  readonly stopBeating: () => void
}

export interface Ending extends Opened {
  readonly capture: Capture
  readonly before: Before
  /** Those that the command executes, if any. */
  readonly notebooks: Notebooks | undefined
  readonly ended: ChildEnd
  readonly times: { readonly endedAt: Date; readonly duration: number }
  readonly resources: RunEnd['resources']
  readonly notes: () => Promise<string[]>
}

export async function finishRun(
  ctx: Context,
  project: Project,
  store: Store,
  artifacts: readonly string[],
  ending: Ending,
): Promise<TrackOutcome> {
  const { writer, start, ended, capture } = ending
  const { id } = writer
  try {
    const notes: string[] = []
    const deleted = await backFromTrash(store, start)
    if (deleted !== undefined) notes.push(deleted)
    const model = start.model ?? (await modelOfClients(store, id))
    const values = await readValueFiles(ctx.cwd, ending.before)
    notes.push(...values.notes)
    const t = ctx.now().toISOString()
    await writer.append('metrics', fileLines(values.metrics, t))
    const { params: safe, redacted } = redactParams(values.params)
    if (redacted.length > 0) notes.push(saidRedacted(redacted))
    await writer.append('params', fileLines(safe, t))
    const wanted = wantedArtifacts(project, ctx.cwd, artifacts, model)
    const place = { root: project.root, cwd: ctx.cwd }
    const stored = await storeArtifacts(ctx, store, place, wanted, ending.before, notes)
    const { notebooks } = ending
    if (notebooks !== undefined) {
      const taken = new Set(stored.map(({ path }) => path))
      stored.push(...(await storeNotebooks(ctx, store, place, notebooks, ending.before, taken, notes)))
    }
    await writer.append('artifacts', stored)
    capture.showProgress()
    await capture.afterCommand()
    notes.push(...(await ending.notes()), ...capture.notes, ...endNotes(ended))

    const late = lateFacts(ending.written, capture.known())
    const { endedAt, duration } = ending.times
    const end = await writer.end({
      format: 1,
      status: statusOf(ended),
      exit: ended.exit,
      signal: ended.signal,
      ended: endedAt.toISOString(),
      duration,
      ...(await foldStreams(store, id, start)),
      ...(ending.resources === undefined ? {} : { resources: ending.resources }),
      ...(late === undefined ? {} : { late }),
      ...(start.model === undefined && model !== undefined ? { model } : {}),
      warnings: notes,
    })
    for (const note of notes) ctx.warn(note)
    const kept = capture.kept()
    return {
      ...(kept === undefined ? {} : { kept }),
      runId: id,
      exitCode: exitCodeOf(ended),
      start: { ...start, ...late, ...(model === undefined ? {} : { model }) },
      end,
    }
  } finally {
    ending.stopBeating()
  }
}

/** A command that was asked to stop and did not end well was interrupted; one that ended well anyway is finished. */
function statusOf(ended: ChildEnd): RunEnd['status'] {
  if (ended.exit === 0) return 'finished'
  return ended.sent === undefined ? 'failed' : 'interrupted'
}

function endNotes(ended: ChildEnd): string[] {
  const notes: string[] = []
  if (ended.leftOpen) {
    notes.push('a process that the command left behind still held its output open; what it writes from now on is lost')
  }
  if (ended.sent !== undefined && ended.exit === 0) notes.push(`${ended.sent} was sent to it, and it ended well`)
  return notes
}

/** The model that clients of the script named, when all named the same. */
async function modelOfClients(store: Store, id: string): Promise<string | undefined> {
  const named = new Set(
    (await store.runs.clients(id)).map((client) => client.model).filter((name) => name !== undefined),
  )
  return named.size === 1 ? [...named][0] : undefined
}

const fileLines = <V>(values: Readonly<Record<string, V>>, t: string) =>
  Object.entries(values).map(([key, value]) => ({ t, key, value, from: 'file' as const }))
