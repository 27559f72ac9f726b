/**
 * `mlops track`: runs an unmodified command as a run. The order matters: what is wrong with the request is said before
 * the command starts; the command starts before anything slow is looked at; nothing that goes wrong with the recording
 * stops the command.
 */
import type { Context } from '../../core/context.ts'
import { failed, MlopsError, usage } from '../../core/errors.ts'
import { assertName } from '../../core/names.ts'
import { redactParams, saidRedacted } from '../../core/redact.ts'
import { ulid } from '../../core/ulid.ts'
import type { Project } from '../../project/config.ts'
import type { ParamValue, RunEnd, RunStart } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'
import { wantedArtifacts } from '../capture/artifacts.ts'
import { startCapture } from '../capture/capture.ts'
import type { KeptInAll } from '../capture/data-record.ts'
import { checkDataSources, type DataSource } from '../capture/declared-data.ts'
import { findInterpreter } from '../capture/interpreter.ts'
import { findNotebooks } from '../capture/notebooks.ts'
import { watchResources } from '../capture/resources.ts'
import { lookAtPaths, lookBefore } from '../capture/written.ts'
import { checkedNote } from '../records/annotate.ts'
import { createRecorder } from '../values/recorder.ts'
import { checkedTags } from '../values/tags.ts'
import { METRIC_FILES, PARAM_FILES } from '../values/value-files.ts'
import { type ChildEnd, type SignalSource, startChild } from './child.ts'
import { clientFolder } from './client-path.ts'
import { finishRun, type Opened } from './finish-run.ts'
import { openRun, REPRODUCES } from './open-run.ts'
import { createOutputLog, passOn } from './output.ts'
import { openPipes } from './pipes.ts'
import { childEnvironment, chooseSeed, modelOfParent } from './seed.ts'
import { type SignalHub, signalHub } from './signals.ts'
import { stopwatch } from './stopwatch.ts'

export interface TrackRequest {
  /** A ULID that the caller has written down already; undefined: a new one. */
  readonly runId?: string | undefined
  readonly command: readonly string[]
  readonly model?: string | undefined
  readonly data: readonly DataSource[]
  readonly params: Readonly<Record<string, ParamValue>>
  readonly tags: readonly string[]
  /** What a person has to say of it, as `run note` would. */
  readonly note?: string | undefined
  /** Keep the bytes of the data too; what `snapshot:` of the model in mlops.yaml says by default. */
  readonly snapshot?: boolean | undefined
  /** Hash every file of folders of data, also those that look unchanged since they were hashed last. */
  readonly rehash?: boolean | undefined
  /** Paths or patterns, relative to `ctx.cwd`. */
  readonly artifacts: readonly string[]
  /** 0 … 4294967295, the range of PYTHONHASHSEED. Undefined: MLOPS_SEED, else a random one, recorded either way. */
  readonly seed?: number | undefined
  /** The run that this one repeats; the wishes of its script are never granted. */
  readonly reproduces?: string | undefined
  /** Added to the environment of the command. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Where the command's stdout goes; `stderr` keeps stdout free for a result. */
  readonly stdoutTo: 'stdout' | 'stderr'
  /** The command may keep the terminal: it is in the foreground of one. See `ChildRequest.foreground`. */
  readonly foreground?: boolean | undefined
  /** Undefined: an aborted `ctx.signal` alone interrupts the command. */
  readonly signals?: SignalSource | undefined
  /** Milliseconds between a second signal and SIGKILL; 5,000. */
  readonly grace?: number | undefined
  /** File descriptors for the command's output; 1 and 2. */
  readonly fds?: { readonly stdout: number; readonly stderr: number } | undefined
}

export interface TrackOutcome {
  readonly runId: string
  /** The command's own, or 128 + n for a signal. */
  readonly exitCode: number
  readonly start: RunStart
  readonly end: RunEnd
  /** What keeping the data took; undefined when nothing was to be kept. */
  readonly kept?: KeptInAll
}

/**
 * @throws usage for a request that makes no sense, notFound `DATA_NOT_FOUND`, both before the command starts;
 *   `StartError` (exit 126, 127); failed `RUN_NOT_RECORDED` when the command ran but its record could not be written
 */
export async function trackCommand(
  ctx: Context,
  project: Project,
  store: Store,
  given: TrackRequest,
): Promise<TrackOutcome> {
  await checkRequest(ctx, given)
  const { params, redacted } = redactParams(given.params)
  const model = given.model ?? modelOfParent(ctx.env)
  const request = { ...given, params, model, tags: checkedTags(given.tags) }
  if (redacted.length > 0) ctx.warn(saidRedacted(redacted))
  const id = request.runId ?? ulid(ctx.now().getTime())
  const { seed, from: seedFrom } = chooseSeed(request.seed, ctx.env)
  const client = clientFolder()
  const env = {
    ...childEnvironment(ctx.env, { store, id, model, seed, seedFrom, client }),
    // What a repetition starts belongs to it: `run list` marks and filters leave out the whole of it.
    ...(request.reproduces === undefined ? {} : { [REPRODUCES]: request.reproduces }),
    ...request.env,
  }
  const patterns = wantedArtifacts(project, ctx.cwd, request.artifacts, undefined).map(({ pattern }) => pattern)
  const notebooks = findNotebooks(request.command)
  // Takes a process, so it goes on beside what has to be looked at before the command starts.
  const pipes = openPipes()
  const guess = findInterpreter(request.command, ctx.cwd, env)
  guess.catch(() => {}) // Whoever asks for it hears of that.
  const before = await Promise.all([
    lookBefore([...patterns, ...METRIC_FILES, ...PARAM_FILES], ctx.cwd),
    lookAtPaths(notebooks?.candidates ?? [], ctx.cwd),
  ]).then(
    ([matched, named]) => new Map([...matched, ...named]),
    async (error: unknown) => {
      await (await pipes)?.abandon()
      throw error
    },
  )

  const marks = await lookAtPaths(
    request.data.map(({ path }) => path),
    ctx.cwd,
  )
  const start = { marks, at: ctx.now().getTime() }
  const hub = signalHub(withAbort(request.signals, ctx.signal))
  const stop = new AbortController()
  try {
    const output = createOutput(ctx, request)
    const started = ctx.now()
    const elapsed = stopwatch(ctx.now)
    const child = await startChild({
      ...output.sinks,
      ...childOptions(request),
      pipes,
      cwd: ctx.cwd,
      env,
      signals: hub.source,
      ignored: (grace) =>
        ctx.warn(`the command has not ended yet; a second signal ends it after ${grace / 1000} s, a third at once`),
    })
    const resources = watchResources(child.pid)
    const { command, data, rehash = false } = request
    const snapshot = request.snapshot ?? wantsSnapshot(project, request.model)
    const asked = {
      start,
      command,
      pid: child.pid,
      guess,
      cwd: ctx.cwd,
      env,
      data,
      artifacts: patterns,
      rehash,
      snapshot,
      client,
      signal: stop.signal,
    }
    const capture = startCapture(ctx, project, store, asked)
    const opening = openRun(ctx, project, store, request, { id, seed, seedFrom, started, env, capture })
    const attached = output.attachTo(opening)

    const ended = await child.ended
    const endedAt = ctx.now()
    const duration = elapsed()
    const used = resources.stop()
    listenWhileFinishing(hub, stop)
    await attached
    try {
      const times = { endedAt, duration }
      const seen = { before, notebooks, ended, times, resources: used }
      const ending = { ...(await opening), ...seen, capture, notes: output.close }
      return await finishRun(ctx, project, store, request.artifacts, ending)
    } catch (error) {
      throw notRecorded(error, ended)
    }
  } finally {
    stop.abort()
    hub.close()
  }
}

const wantsSnapshot = ({ config }: Project, model: string | undefined): boolean =>
  model !== undefined && Object.hasOwn(config.models, model) && config.models[model]?.snapshot === true

const childOptions = ({ command, foreground, grace }: TrackRequest) => ({
  command,
  foreground: foreground === true,
  grace,
})

/** The first signal gives up on what is still being hashed, not on the record; after it they do what they do. */
function listenWhileFinishing(hub: SignalHub, stop: AbortController): void {
  hub.source(() => {
    stop.abort()
    hub.close()
  })
}

/** The command's output: passed on, kept in output.log, read for values. */
function createOutput(ctx: Context, request: TrackRequest) {
  const log = createOutputLog()
  const recorder = createRecorder(ctx.now)
  const fds = request.fds ?? { stdout: 1, stderr: 2 }
  const stdoutFd = request.stdoutTo === 'stdout' ? fds.stdout : fds.stderr
  const stdout = async (chunk: Buffer): Promise<boolean> => {
    await log.write(chunk)
    recorder.scanner.feed(chunk)
    await recorder.settle()
    return await passOn(stdoutFd, chunk)
  }
  const stderr = async (chunk: Buffer): Promise<boolean> => {
    await log.write(chunk)
    return await passOn(fds.stderr, chunk)
  }
  return {
    sinks: { stdout, stderr },
    /** Never rejects: without a record the command goes on, and its end says so again. */
    async attachTo(opening: Promise<Opened>): Promise<void> {
      try {
        const { writer } = await opening
        recorder.attach(writer)
        await log.open(writer.outputPath)
      } catch (error) {
        log.abandon()
        ctx.warn(`This run is not being recorded: ${wordsOf(error)} The command goes on.`)
      }
    },
    async close(): Promise<string[]> {
      recorder.scanner.end()
      return [...(await recorder.close()), ...listOf(await log.close())]
    },
  }
}

async function checkRequest(ctx: Context, request: TrackRequest): Promise<void> {
  if (request.command.length === 0 || request.command[0] === '') {
    throw usage({
      code: 'COMMAND_MISSING',
      message: 'There is no command to run.',
      hint: 'Write it after two dashes: mlops track -- python train.py',
    })
  }
  if (request.model !== undefined) assertName('model', request.model)
  if (request.note !== undefined) checkedNote(request.note)
  await checkDataSources(request.data, ctx.cwd)
}

/** Aborting `ctx.signal` means Ctrl-C. */
function withAbort(signals: SignalSource | undefined, abort: AbortSignal | undefined): SignalSource | undefined {
  if (abort === undefined) return signals
  return (listener) => {
    const stop = signals?.(listener)
    const onAbort = (): void => listener('SIGINT')
    abort.addEventListener('abort', onAbort)
    return () => {
      stop?.()
      abort.removeEventListener('abort', onAbort)
    }
  }
}

function notRecorded(error: unknown, ended: ChildEnd): MlopsError {
  const how = ended.exit === null ? `was ended by ${ended.signal}` : `ended with exit code ${ended.exit}`
  return failed({
    code: 'RUN_NOT_RECORDED',
    message: `The command ${how}, but its run could not be recorded. ${wordsOf(error)}`,
    hint: (error instanceof MlopsError ? error.hint : undefined) ?? 'Look the store over: mlops store verify',
    details: { exit: ended.exit, signal: ended.signal },
    cause: error,
  })
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
const listOf = <T>(value: T | undefined): T[] => (value === undefined ? [] : [value])
