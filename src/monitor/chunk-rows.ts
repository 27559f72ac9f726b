/** How many rows a window in production has: what a chunk is to be as large as. */
import type { Context } from '../core/context.ts'
import type { CheckResult } from '../drift/types.ts'
import type { PredictionLog } from '../predictions/types.ts'
import { lengthOf } from '../predictions/window.ts'
import type { Project } from '../project/config.ts'
import { modelConfig } from '../project/load.ts'
import type { Store } from '../store/store.ts'
import { DEFAULT_WINDOW, logOf } from './sources.ts'
import type { Subject } from './subject.ts'

export interface TypicalRows {
  readonly rows: number
  /** For people. */
  readonly from: string
}

/** Windows and checks that are looked at. */
const WINDOWS = 4
const CHECKS = 20

/** The median of the last windows in the log, else of the last checks; undefined without either. */
export async function typicalRows(
  ctx: Context,
  project: Project,
  store: Store,
  subject: Subject,
): Promise<TypicalRows | undefined> {
  const { model } = subject.state
  const log = await logOf(ctx, project, store, model)
  const length = modelConfig(project, model).drift.window ?? DEFAULT_WINDOW
  const logged = log === null ? [] : await loggedRows(log, subject.version.version, length)
  if (logged.length > 0) {
    return {
      rows: median(logged),
      from: `the last ${logged.length === 1 ? '' : `${logged.length} `}${windows(length, logged.length)} of the log have so many`,
    }
  }
  const checked = await checkedRows(store, model, subject.version.version)
  if (checked.length === 0) return undefined
  return {
    rows: median(checked),
    from: checked.length === 1 ? 'the last check had so many' : `the last ${checked.length} checks had so many`,
  }
}

const windows = (length: string, count: number): string => `window${count === 1 ? '' : 's'} of ${length}`

/** Whole windows back from the newest record. */
async function loggedRows(log: PredictionLog, version: number, length: string): Promise<number[]> {
  const newest = await log.newest()
  if (newest === null) return []
  const span = lengthOf(length, 'drift.window')
  const end = Date.parse(newest) + 1
  const rows: number[] = []
  for (let i = 0; i < WINDOWS; i++) {
    const window = { since: end - (i + 1) * span, until: end - i * span }
    const { records, requests, errors } = await log.stats({ ...window, version })
    const answered = requests === 0 ? 0 : Math.round(records * (1 - errors / requests))
    if (answered > 0) rows.push(answered)
  }
  return rows
}

async function checkedRows(store: Store, model: string, version: number): Promise<number[]> {
  const checks = (await store.checks.list(model)).flatMap(({ record }) => {
    const check = record as unknown as Partial<CheckResult> | null
    const rows = check?.current?.rows
    return check?.version === version && rows !== undefined && rows > 0 ? [{ time: check.time ?? '', rows }] : []
  })
  return checks
    .sort((a, b) => (a.time < b.time ? 1 : -1))
    .slice(0, CHECKS)
    .map(({ rows }) => rows)
}

/** The lower one of two in the middle: a number that was really there. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0
}
