/**
 * Writes into the streams of a run what is learned while its command runs: metrics and parameters it prints. Holds
 * them back until the run's folder is there, then appends them in batches. Never fails the run: troubles become notes.
 */
import { redactParams, saidRedacted } from '../../core/redact.ts'
import type { MetricLine, ParamLine } from '../../store/run-records.ts'
import type { RunWriter } from '../../store/store.ts'
import { createLineScanner, type LineScanner } from './line-scanner.ts'
import { readPrintedLine } from './printed-values.ts'
import { keyProblem } from './value-maps.ts'

/**
 * Printed values kept one by one, of metrics and of parameters; beyond, only the last of each name. So many a run can be
 * shown with in two seconds and 90 MB of store; a program that prints more prints in a loop without end.
 */
const MAX_POINTS = 1_000_000
const MAX_NAMES = 1_000
const BATCH = 2_000
const FLUSH_MILLISECONDS = 500

export interface Recorder {
  readonly scanner: LineScanner
  /** The folder is there: from now on lines are written. */
  attach(writer: RunWriter): void
  /** Resolves when enough has been written for the command to go on. */
  settle(): Promise<void>
  /** Writes the rest. @returns notes on what is missing */
  close(): Promise<string[]>
}

/** @param most instead of a million, for tests */
export function createRecorder(now: () => Date, most = MAX_POINTS): Recorder {
  const timestamp = millisecondText(now)
  let metrics: MetricLine[] = []
  let params: ParamLine[] = []
  let points = 0
  const names = new Set<string>()
  const latest = new Map<string, MetricLine>()
  let paramPoints = 0
  const paramNames = new Set<string>()
  const latestParams = new Map<string, ParamLine>()
  const notes: string[] = []
  let writer: RunWriter | undefined
  let flushing = Promise.resolve()
  let timer: NodeJS.Timeout | undefined

  const note = (text: string): void => {
    if (!notes.includes(text)) notes.push(text)
  }
  const take = (line: string): void => {
    const values = readPrintedLine(line)
    if (values.tooLarge !== undefined) {
      note(`${values.tooLarge} was printed with a number too large to be kept; such values are left out`)
    }
    if (values.metrics.length === 0 && values.params.length === 0) return
    const t = timestamp()
    for (const metric of values.metrics) {
      if (keyProblem(metric.key) !== undefined) continue
      names.add(metric.key)
      if (names.size > MAX_NAMES) {
        names.delete(metric.key)
        note(`more than ${MAX_NAMES} different names of metrics were printed; the others are left out`)
        continue
      }
      const record: MetricLine = { t, ...metric, from: 'printed' }
      if (++points <= most) metrics.push(record)
      else latest.set(metric.key, record)
    }
    for (const param of values.params) {
      if (keyProblem(param.key) !== undefined) continue
      const { params: safe, redacted } = redactParams({ [param.key]: param.value })
      if (redacted.length > 0) note(saidRedacted(redacted))
      // Like metrics: what a command prints without end must not be kept without end.
      if (paramNames.size >= MAX_NAMES && !paramNames.has(param.key)) {
        note(`more than ${MAX_NAMES} different names of parameters were printed; the others are left out`)
        continue
      }
      paramNames.add(param.key)
      const record: ParamLine = { t, key: param.key, value: safe[param.key] ?? null, from: 'printed' }
      if (++paramPoints <= most) params.push(record)
      else latestParams.set(param.key, record)
    }
  }
  const flush = async (): Promise<void> => {
    if (writer === undefined || (metrics.length === 0 && params.length === 0)) return
    const [someMetrics, someParams] = [metrics, params]
    metrics = []
    params = []
    try {
      if (someMetrics.length > 0) await writer.append('metrics', someMetrics)
      if (someParams.length > 0) await writer.append('params', someParams)
    } catch (error) {
      note(`printed values could not be recorded: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  const queueFlush = (): Promise<void> => {
    flushing = flushing.then(flush)
    return flushing
  }

  return {
    scanner: createLineScanner(take),
    attach(to) {
      writer = to
      timer = setInterval(() => void queueFlush(), FLUSH_MILLISECONDS)
      timer.unref()
    },
    async settle() {
      if (metrics.length >= BATCH && writer !== undefined) await queueFlush()
    },
    async close() {
      clearInterval(timer)
      if (latest.size > 0) {
        note(`more than ${most} values were printed; of the later ones only the last of each name is kept`)
        metrics.push(...latest.values())
      }
      params.push(...latestParams.values())
      await queueFlush()
      return notes
    },
  }
}

/** Many lines come within one millisecond, and the text of a time costs more than reading a line. */
function millisecondText(now: () => Date): () => string {
  let known = Number.NaN
  let text = ''
  return () => {
    const time = now()
    if (time.getTime() !== known) {
      known = time.getTime()
      text = time.toISOString()
    }
    return text
  }
}
