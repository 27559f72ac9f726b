/** The log of one model, wherever it lives: the one way in for other rooms. */
import type { Project } from '../project/config.ts'
import { type LogContext, type LogHome, logHome } from './home.ts'
import { writeLabelled } from './labelled.ts'
import { newestIn, oldestIn } from './newest.ts'
import { qualityOf } from './quality.ts'
import { type ReadOptions, readFolder, type Use } from './reading.ts'
import { withRows } from './rows.ts'
import { statsOf } from './stats.ts'
import type { PredictionLog, TimeWindow } from './types.ts'
import { assertWindow, describeWindow } from './window.ts'

/** The records of a window, opened from where the log lives. */
export type ReadLog = <T>(
  window: TimeWindow,
  use: Use<T>,
  options?: Pick<ReadOptions, 'more' | 'figuresOnly' | 'order'>,
) => Promise<T>

/**
 * Nothing is looked at before a method is called.
 * @param store the store's root counts, for a log without a configured place
 * @throws usage `PREDICTIONS_PATH_INVALID`, `NAME_INVALID`
 */
export function openLog(
  ctx: LogContext,
  project: Project,
  store: { readonly root: string },
  model: string,
): PredictionLog {
  return logAt(ctx, logHome(ctx, { ...project, storeRoot: store.root }, model), model)
}

export function logAt(ctx: LogContext, home: LogHome, model: string): PredictionLog {
  const read = readerOf(ctx, home, model)
  return {
    model,
    home: home.name,
    newest: async () =>
      home.kind === 'files' ? newestIn(home.folder, model) : (await postgres()).newestRow(ctx, home, model),
    oldest: async () =>
      home.kind === 'files' ? oldestIn(home.folder, model) : (await postgres()).oldestRow(ctx, home, model),
    stats: (query) => read(query, (reading) => statsOf(reading, query), { figuresOnly: true }),
    quality: (query, shape) => read(query, (reading) => qualityOf(reading, query, shape)),
    writeLabelled: (query, request) => read(query, (reading) => writeLabelled(reading, home.name, query, request)),
    rows: (query, shape) => {
      const name = `${home.name} ${describeWindow(query)}`
      return {
        name,
        open: (options, use) =>
          read(query, (reading) => withRows(reading, name, query, shape, options, use), {
            // The rows of a batch are counted; of a baseline, whose columns are not known yet, a sample is taken by number.
            order: options.expected === undefined ? 'kept' : 'free',
          }),
      }
    },
  }
}

const postgres = () => import('./postgres.ts')

/** How a window of this home is opened. */
export function readerOf(ctx: LogContext, home: LogHome, model: string): ReadLog {
  return async (window, use, extra) => {
    assertWindow(window)
    const options: ReadOptions = {
      now: ctx.now().getTime(),
      ...(ctx.signal === undefined ? {} : { signal: ctx.signal }),
      ...extra,
    }
    if (home.kind === 'files') return readFolder(home.folder, model, window, options, use)
    return (await postgres()).readTable(ctx, home, model, window, options, use)
  }
}
