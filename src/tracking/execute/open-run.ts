/**
 * The beginning of a tracked run: what run.json says, the parameters among the words of the command, the first heartbeat.
 * Starting and following the command belongs to `track.ts`, its end to `finish-run.ts`.
 */
import type { Context } from '../../core/context.ts'
import { ownProcess } from '../../core/process-place.ts'
import type { Project } from '../../project/config.ts'
import type { RunStart } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'
import { type Capture, recordedCommand, recordedCwd } from '../capture/capture.ts'
import { allowedEnvironment, hostFacts } from '../capture/environment.ts'
import { noteRun } from '../records/annotate.ts'
import { recordArguments } from '../values/record-arguments.ts'
import type { Opened } from './finish-run.ts'
import type { TrackRequest } from './track.ts'

/** The tag of every run that repeats another, or is a part of one that does. */
const REPRODUCTION_TAG = 'reproduction'
/** In the environment of a repetition: the run that it repeats. The Python client reads it too. */
export const REPRODUCES = 'MLOPS_REPRODUCES'

/** Milliseconds that run.json waits for the slow facts. */
const PATIENCE = 2_000
const HEARTBEAT = 5_000

/** Writes run.json as soon as the slow facts are there, or patience ends, and keeps the heart beating. */
export async function openRun(
  ctx: Context,
  project: Project,
  store: Store,
  request: TrackRequest,
  begun: {
    readonly id: string
    readonly seed: number
    readonly seedFrom: NonNullable<RunStart['seedFrom']>
    readonly started: Date
    readonly env: Readonly<Record<string, string | undefined>>
    readonly capture: Capture
  },
): Promise<Opened> {
  await begun.capture.within(PATIENCE)
  const written = begun.capture.known()
  const parent = ctx.env.MLOPS_RUN_ID || undefined
  const reproduces = request.reproduces ?? (parent === undefined ? undefined : ctx.env[REPRODUCES] || undefined)
  const own = ownProcess()
  const start: RunStart = {
    format: 1,
    id: begun.id,
    ...(request.model === undefined ? {} : { model: request.model }),
    started: begun.started.toISOString(),
    command: recordedCommand(request.command),
    cwd: recordedCwd(project, ctx.cwd),
    ...(written.git === undefined ? {} : { git: written.git }),
    ...(written.python === undefined ? {} : { python: written.python }),
    env: allowedEnvironment({ ...begun.env, PYTHONPATH: ctx.env.PYTHONPATH }),
    host: written.host ?? hostFacts(),
    seed: begun.seed,
    seedFrom: begun.seedFrom,
    data: written.data ?? [],
    params: request.params,
    tags: reproduces === undefined ? request.tags : [...new Set([...request.tags, REPRODUCTION_TAG])],
    actor: ctx.actor,
    tool: ctx.tool,
    source: 'track',
    ...(own === undefined ? {} : { process: own }),
    ...(reproduces === undefined ? {} : { reproduces }),
    ...(parent === undefined ? {} : { parent }),
  }
  const writer = await store.runs.create(start)
  begun.capture.notes.push(...(await recordArguments(ctx.cwd, request.data, start, writer)))
  if (request.note !== undefined) {
    await noteRun(ctx, store, begun.id, request.note).catch((error: unknown) => {
      begun.capture.notes.push(
        `the note could not be written: ${error instanceof Error ? error.message : String(error)}`,
      )
    })
  }
  // A missed beat costs nothing but looks.
  const timer = setInterval(() => void writer.beat().catch(() => {}), HEARTBEAT)
  return { writer, start, written, stopBeating: () => clearInterval(timer) }
}
