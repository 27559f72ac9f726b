/** From the flags of `mlops drift calibrate` to what is asked, and from its answer to what to type next. Pure. */
import { usage } from '../core/errors.ts'
import { given } from '../core/given.ts'
import type { ModelRef } from '../core/names.ts'
import { redactText } from '../core/redact.ts'
import { shellWord } from '../core/shell.ts'
import type { CalibrateRequest, Calibration, ConfigChange } from './calibration.ts'

/** As oclif parsed them. */
export interface CalibrateFlags {
  readonly data?: string | undefined
  readonly query?: string | undefined
  readonly window?: string | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly every?: string | undefined
  readonly rows?: number | undefined
  readonly chunks?: number | undefined
  readonly shuffle: boolean
  readonly seed?: number | undefined
  readonly 'false-alarms': string
  readonly tighten: boolean
}

/** Below it thousands of chunks would be needed, above it a check is a coin. */
const LEAST_RATE = 0.001
const MOST_RATE = 0.5
/** Fewer rows are no window. */
const FEWEST_ROWS = 50

/** @throws usage `FALSE_ALARMS_INVALID`, `FLAGS_EXCLUSIVE` */
export function calibrateRequest(ref: ModelRef, flags: CalibrateFlags): CalibrateRequest {
  const { data, query, every, rows, chunks, tighten } = flags
  const window = given({ window: flags.window, since: flags.since, until: flags.until })
  const seed = flags.shuffle ? (flags.seed ?? 1) : undefined
  const falseAlarms = rateOf(flags['false-alarms'])
  const request = { ref, window, falseAlarms, tighten, ...given({ data, query, every, rows, chunks, seed }) }
  const exclusive = (message: string, hint: string) => usage({ code: 'FLAGS_EXCLUSIVE', message, hint })
  if (query !== undefined && data === undefined) {
    throw exclusive(
      '--query is for a database that --data names.',
      "Type: --data postgres://HOST/DB --query 'SELECT …'",
    )
  }
  if (!isLogRequest(request)) return request
  if (data !== undefined) {
    throw exclusive(
      '--data names rows; --window, --since, --until and --every name times of the prediction log.',
      'Leave one of the two out',
    )
  }
  if (rows !== undefined || chunks !== undefined || seed !== undefined) {
    throw exclusive(
      'Periods of the prediction log are the chunks: --rows, --chunks and --shuffle are for data.',
      'Leave them out, or choose another length with --every',
    )
  }
  return request
}

/** Whether periods of the prediction log are meant. */
export const isLogRequest = ({ window, every }: Pick<CalibrateRequest, 'window' | 'every'>): boolean =>
  every !== undefined || Object.keys(window).length > 0

function rateOf(text: string): number {
  const value = Number(text.endsWith('%') ? text.slice(0, -1) : text) / (text.endsWith('%') ? 100 : 1)
  if (text.trim() !== '' && value >= LEAST_RATE && value <= MOST_RATE) return value
  throw usage({
    code: 'FALSE_ALARMS_INVALID',
    message: `--false-alarms ${JSON.stringify(text)} is no share between ${LEAST_RATE} and ${MOST_RATE}.`,
    hint: 'Write for example 0.05, or 5%',
  })
}

/**
 * @param change null without a proposal
 * @param typed the words after the command
 */
export function nextStep(found: Calibration, change: ConfigChange | null, typed: readonly string[]): string {
  const words = typed.filter((word) => !HOW.includes(word))
  const again = (more: readonly string[]) => `mlops drift calibrate ${[...words, ...more].map(quoted).join(' ')}`
  if (change === null) {
    const most = Math.floor(found.data.rows / (found.needed?.chunks ?? 1))
    const least = found.needed?.chunkRows ?? FEWEST_ROWS
    // Chunks that were too small are made as large as they have to be, those that were too few as large as they can be.
    const rows = found.needed?.chunkRows ?? most
    const data = `mlops drift calibrate ${found.model}@${found.version} --data DATA`
    if (found.data.kind === 'prediction log' || most < least) return data
    const at = words.findIndex((word) => /^--rows(?:=|$)/.test(word))
    const rest = at < 0 ? words : words.toSpliced(at, words[at] === '--rows' ? 2 : 1)
    return `mlops drift calibrate ${[...rest, '--rows', String(rows)].map(quoted).join(' ')}`
  }
  if (found.proposal?.isPossible === false) {
    const { kind, source } = found.data
    const data = kind === 'prediction log' ? '' : ` --current ${quoted(source)}`
    return `mlops drift ${found.model}@${found.version}${data}`
  }
  const isOpen = change.lines.length > 0 && !change.written && change.file !== null
  return isOpen ? again(['--write']) : `mlops drift ${found.model} --alert`
}

/** How the answer is told is no part of the question. */
const HOW = ['--json', '--quiet', '-q', '--no-input', '--no-color', '--debug']

const quoted = (word: string): string => shellWord(redactText(word))
