/** What the tests of src/predictions/ share: a log in a temporary folder, written line by line. */
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { LogContext, LogHome } from '../../../src/predictions/home.ts'
import { logAt } from '../../../src/predictions/log.ts'
import type { PredictionLog, TimeWindow } from '../../../src/predictions/types.ts'

export const MODEL = 'churn-model'
/** Everything in the tests' logs is older. */
export const NOW = new Date('2026-11-21T12:00:00.000Z')
export const at = (time: string): number => Date.parse(time)
export const WEEK: TimeWindow = { since: at('2026-11-14T00:00:00Z'), until: at('2026-11-21T00:00:00Z') }

// biome-ignore lint/suspicious/noExplicitAny: lines of tests are also what no record may be
export type Line = Record<string, any>

export const record = (id: string, time: string, more: Line = {}): Line => ({
  ...{ v: 1, id, time, model: MODEL, version: 1, features: { tenure: 12, plan: 'basic' }, output: 0.25 },
  ...more,
})

export interface TestLog {
  readonly path: string
  readonly home: Extract<LogHome, { kind: 'files' }>
  readonly ctx: LogContext
  readonly log: PredictionLog
  /** Appends records, each to the folder of its day, or bytes as they are. Files look untouched for hours. */
  write(records: readonly Line[], file?: string): void
  raw(date: string, file: string, bytes: string | Uint8Array, modified?: Date): string
  remove(): void
}

export function testLog(now: Date = NOW): TestLog {
  const path = mkdtempSync(join(tmpdir(), 'mlops-predictions-'))
  const home = { kind: 'files', home: path, folder: join(path, MODEL), name: `predictions/${MODEL}` } as const
  const ctx: LogContext = { cwd: path, env: {}, now: () => now }
  const raw: TestLog['raw'] = (date, file, bytes, modified = new Date(now.getTime() - 36e5 * 5)) => {
    const target = join(home.folder, `date=${date}`, file)
    mkdirSync(dirname(target), { recursive: true })
    appendFileSync(target, bytes)
    utimesSync(target, modified, modified)
    return target
  }
  return {
    path,
    home,
    ctx,
    log: logAt(ctx, home, MODEL),
    write: (records, file = 'py-0123456789abcdef-0001.jsonl') => {
      const days = new Map<string, string>()
      for (const each of records) {
        const day = String(each.time).slice(0, 10)
        days.set(day, `${days.get(day) ?? ''}${JSON.stringify(each)}\n`)
      }
      for (const [day, lines] of days) raw(day, file, lines)
    },
    raw,
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}

/** `count` records of one day, one a minute, of which each is made by `more`. */
export const many = (day: string, count: number, more: (index: number) => Line = () => ({})): Line[] =>
  Array.from({ length: count }, (_, index) =>
    record(`${day}-${index}`, new Date(at(`${day}T00:00:00Z`) + index * 60_000).toISOString(), more(index)),
  )
