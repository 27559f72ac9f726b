/**
 * Does an old version fit today's data? Its own baseline against the rows of today, and, where labels have arrived, its
 * own evaluation on them. It informs a rollback and never holds one up: what is not known after ten seconds, or cannot
 * be, is "not determined". Evaluating is in `fit-evaluation.ts`, comparing rows in `fit-inputs.ts`, the sentence in
 * `fit-words.ts`.
 */
import type { Context } from '../../core/context.ts'
import { isMlopsError } from '../../core/errors.ts'
import { versionName } from '../../core/names.ts'
import type { RealisedNow } from '../../monitor/latest.ts'
import type { Project } from '../../project/config.ts'
import type { RollbackBody } from '../../store/events.ts'
import type { Store } from '../../store/store.ts'
import type { FitEvaluation, LabelledFit } from './fit-evaluation.ts'
import type { InputsFit } from './fit-inputs.ts'
import { sentence } from './fit-words.ts'

export interface Fit {
  readonly verdict: RollbackBody['fit']
  /** One sentence: whether it fits, and what that rests on. */
  readonly summary: string
  /** What does not fit, column by column, where the inputs have drifted. */
  readonly drifted?: InputsFit['drifted']
  /** How many columns were compared. */
  readonly compared?: number
  /** How many rows they were compared on. */
  readonly rows?: number
  readonly evaluation?: FitEvaluation
  /** The version that is left: what it is like today. */
  readonly production?: ProductionNow
}

export interface ProductionNow {
  readonly version: number
  /** Its own baseline against the same rows; looked at only where the old version does not fit. */
  readonly inputs?: InputsFit
  /** What it answered, against the truth. */
  readonly realised?: RealisedNow
}

export interface FitRequest {
  readonly model: string
  readonly version: number
  /** The stage that is to go back, for the bounds of its gate, and the version that is in it. */
  readonly stage: string
  readonly from: number
  /** `--current DATA`, relative to the user's folder; undefined: a window of the prediction log, where there is one. */
  readonly current: string | undefined
  /** False for `--no-verify`. */
  readonly verify: boolean
  /** Why nothing can be said at all: the configuration could not be read. */
  readonly unknown?: string | undefined
  /** Milliseconds; undefined: MLOPS_FIT_SECONDS, else ten seconds. */
  readonly limit?: number
}

/** A person is asked before a stage goes back to such a version. */
export const isUnfit = ({ verdict }: Pick<Fit, 'verdict'>): boolean => verdict === 'drifted' || verdict === 'worse'

/** What was found out about each of the two questions, or why it was not; null: there was nothing to look at. */
export interface Findings {
  readonly inputs: InputsFit | { readonly reason: string }
  readonly labels: LabelledFit | { readonly reason: string }
}

const SECONDS = 10
const MOST_SECONDS = 600

/** For evaluations that are slow and worth the wait. What is no number holds no rollback up. */
function limitOf({ env, warn }: Context): number {
  const text = env.MLOPS_FIT_SECONDS
  if (text === undefined || text === '') return SECONDS * 1_000
  const seconds = Number(text)
  if (seconds > 0 && seconds <= MOST_SECONDS) return seconds * 1_000
  warn(`MLOPS_FIT_SECONDS is no number of seconds up to ${MOST_SECONDS}: ${SECONDS} are taken.`)
  return SECONDS * 1_000
}

/** @throws usage, `DATA_NOT_FOUND` for `--current` alone; an abort of `ctx.signal` */
export async function determineFit(ctx: Context, project: Project, store: Store, request: FitRequest): Promise<Fit> {
  const { model, version, verify, unknown, limit = limitOf(ctx) } = request
  if (!verify) return { verdict: 'skipped', summary: 'whether it fits was not looked at (--no-verify)' }
  if (unknown !== undefined) {
    return sentence(request, { inputs: { reason: unknown }, labels: { evaluation: null, production: undefined } })
  }
  const deadline = new AbortController()
  const timer = setTimeout(() => deadline.abort(), limit)
  const late = new Promise<{ readonly reason: string }>((resolve) => {
    deadline.signal.addEventListener('abort', () =>
      resolve({
        reason: `it took more than ${Number((limit / 1000).toPrecision(2))} s (MLOPS_FIT_SECONDS gives it longer)`,
      }),
    )
  })
  const signal = ctx.signal === undefined ? deadline.signal : AbortSignal.any([ctx.signal, deadline.signal])
  const inTime: Context = { ...ctx, signal }
  const works: Promise<unknown>[] = []
  const within = <T>(
    work: Promise<T>,
    otherwise: (error: unknown) => { readonly reason: string } = (error) => reasonOf(ctx, error),
  ): Promise<T | { readonly reason: string }> => {
    // What is late may reject when nobody listens any more.
    works.push(work.catch(() => {}))
    return Promise.race([work, late]).catch(otherwise)
  }
  try {
    ctx.progress?.(`comparing today's data with ${versionName(model, version)}`)
    const [inputs, labels] = await Promise.all([
      within(look(inTime, project, store, request), (error) => mistakeOr(request, error, () => reasonOf(ctx, error))),
      within(evaluate(inTime, project, store, request)),
    ])
    const found: Findings = { inputs, labels }
    const fit = sentence(request, found)
    if (!isUnfit(fit)) return fit
    const production = await within(look(inTime, project, store, { ...request, version: request.from }))
    return sentence(request, found, production)
  } finally {
    clearTimeout(timer)
    // Whatever is still at work ends now: the evaluation's processes, DuckDB, a connection.
    deadline.abort()
    await settled(works)
  }
}

/** Milliseconds. */
const TIDYING = 1_000

/** What was stopped takes its temporary files with it: the process that ends next would leave them. */
async function settled(works: readonly Promise<unknown>[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, TIDYING)
  })
  await Promise.race([Promise.all(works), enough])
  clearTimeout(timer)
}

async function look(ctx: Context, project: Project, store: Store, request: FitRequest): Promise<InputsFit> {
  const { compareInputs } = await import('./fit-inputs.ts')
  return compareInputs(ctx, project, store, request)
}

async function evaluate(ctx: Context, project: Project, store: Store, request: FitRequest): Promise<LabelledFit> {
  const { evaluateToday } = await import('./fit-evaluation.ts')
  return evaluateToday(ctx, project, store, request)
}

/** A typing mistake is the user's to correct before anything moves; nothing else holds a rollback up. */
function mistakeOr<T>({ current }: FitRequest, error: unknown, otherwise: () => T): T {
  const isMistake = isMlopsError(error) && (error.exit === 'usage' || error.code === 'DATA_NOT_FOUND')
  if (isMistake && current !== undefined) throw error
  return otherwise()
}

function reasonOf(ctx: Context, error: unknown): { readonly reason: string } {
  ctx.signal?.throwIfAborted()
  const message = error instanceof Error ? error.message : String(error)
  return { reason: message.replace(/\.$/, '') }
}
