/**
 * Deleting runs: into the trash, from where they come back as they were. Refused for a run that goes on, and for one that
 * a record of a model names; so what is in the trash is missed by nobody. Removing for good is in `purge-runs.ts`.
 */
import type { Context } from '../../core/context.ts'
import { conflict, isMlopsError, type MlopsError, notFound, refused } from '../../core/errors.ts'
import { lifeOf } from '../../core/process-place.ts'
import { redactText } from '../../core/redact.ts'
import type { RunFolder, Store } from '../../store/store.ts'
import { listRuns } from '../records/list-runs.ts'
import { resolveRun } from '../records/resolve-run.ts'
import { type RunStatus, runStatus } from '../records/status.ts'

export interface DeleteRequest {
  /** As typed. */
  readonly runs: readonly string[]
  /** A filter; of those that match, what may not be deleted is left alone and not refused. */
  readonly where?: string | readonly string[] | undefined
  readonly reason?: string | undefined
}

export interface RunToDelete {
  readonly run: string
  readonly model: string | null
  readonly status: RunStatus
  readonly started: string
  /** Runs that it started; they stay. */
  readonly children: readonly string[]
}

export interface RunKept {
  readonly run: string
  /** In words: `churn-model@3 was made of it`. */
  readonly why: string
}

export interface DeletePlan {
  readonly runs: readonly RunToDelete[]
  readonly kept: readonly RunKept[]
}

export interface DeleteResult extends DeletePlan {
  readonly deleted: boolean
  readonly reason: string | null
}

/** Seconds of silence after which a run of another host, which may only be asleep, counts as dead. */
const SILENCE = 600

/**
 * @throws notFound `RUN_NOT_FOUND`, `RUN_IN_TRASH`; refused `RUN_RUNNING`, `RUN_REFERENCED` for a run that was named;
 *   usage `RUN_AMBIGUOUS`, `FILTER_INVALID`
 */
export async function planDelete(ctx: Context, store: Store, request: DeleteRequest): Promise<DeletePlan> {
  const named = await Promise.all(request.runs.map((run) => resolve(ctx, store, run)))
  const { where } = request
  const matching =
    where === undefined ? [] : (await listRuns(ctx, store, { where, limit: 0 })).runs.map(({ run }) => run)
  const ids = [...new Set([...named, ...matching])]
  const references = await store.trash.namedByModels(new Set(ids))
  const started = await store.trash.namedByRuns(new Set(ids))
  const runs: RunToDelete[] = []
  const kept: RunKept[] = []
  for (const id of ids) {
    const folder = await readable(store, id)
    const why = whyKept(folder, references.get(id) ?? [])
    if (why !== undefined) kept.push({ run: id, why })
    else
      runs.push({
        run: id,
        model: folder?.start.model ?? null,
        status: folder === undefined ? 'interrupted' : runStatus(folder),
        started: folder?.start.started ?? '',
        children: (started.get(id) ?? [])
          .filter(({ words }) => words.endsWith('(which it started)'))
          .map(({ by }) => by),
      })
  }
  const refusedOnes = kept.filter(({ run }) => named.includes(run))
  if (refusedOnes.length > 0) throw notDeleted(refusedOnes, references)
  return { runs, kept }
}

/** Renames each, and looks once more afterwards: a version may have been made of it meanwhile. */
export async function applyDelete(
  ctx: Context,
  store: Store,
  plan: DeletePlan,
  reason: string | undefined,
): Promise<DeleteResult> {
  const said = reason === undefined ? undefined : redactText(reason)
  const gone: string[] = []
  for (const { run } of plan.runs) {
    ctx.signal?.throwIfAborted()
    const moved = await store.trash.put({
      ...{ format: 1, run, actor: ctx.actor, tool: ctx.tool, time: ctx.now().toISOString() },
      ...(said === undefined ? {} : { reason: said }),
    })
    if (moved === 'moved') gone.push(run)
    else ctx.warn(moved === 'taken' ? taken(run) : `Run ${run} was deleted by somebody else meanwhile.`)
  }
  const named = await store.trash.namedByModels(new Set(gone))
  for (const run of named.keys()) await store.trash.restore(run)
  const kept = [...plan.kept, ...[...named].map(([run, by]) => ({ run, why: `${by.join(', ')} names it` }))]
  if (named.size > 0) throw registeredMeanwhile([...named])
  // Whoever registers it takes it out before that is written, and may be between the two.
  const back = (await present(store, gone)).filter((run) => !named.has(run))
  if (back.length > 0) throw putBackMeanwhile(back)
  const runs = plan.runs.filter(({ run }) => gone.includes(run))
  return { runs, kept, deleted: true, reason: said ?? null }
}

async function present(store: Store, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return []
  const inTrash = new Set(await store.trash.ids())
  const missing = ids.filter((id) => !inTrash.has(id))
  if (missing.length === 0) return []
  const there = new Set(await store.runs.list())
  return missing.filter((id) => there.has(id))
}

async function resolve(ctx: Context, store: Store, reference: string): Promise<string> {
  try {
    return await resolveRun(ctx, store, reference)
  } catch (error) {
    if (!isMlopsError(error) || error.code !== 'RUN_NOT_FOUND') throw error
    const inTrash = (await store.trash.ids()).filter((id) => id.startsWith(reference.toUpperCase()))
    if (reference === '' || inTrash.length !== 1) throw error
    throw notFound({
      code: 'RUN_IN_TRASH',
      message: `Run ${inTrash[0]} is in the trash already.`,
      hint: `Take it out: mlops run restore ${inTrash[0]}. Remove it for good: mlops run purge ${inTrash[0]}`,
      details: { run: inTrash[0] },
    })
  }
}

/** A damaged run may be deleted; what its records say cannot be known. */
async function readable(store: Store, id: string): Promise<RunFolder | undefined> {
  return store.runs.read(id).catch((error: unknown) => {
    if (isMlopsError(error) && error.exit === 'failed') return undefined
    throw error
  })
}

function whyKept(folder: RunFolder | undefined, references: readonly string[]): string | undefined {
  if (references.length > 0) return `${references.slice(0, 3).join(', ')} names it`
  if (folder === undefined || folder.end !== undefined) return undefined
  const life = lifeOf(folder.start.process)
  if (life === 'gone') return undefined
  if (life === 'alive') return `it is running (process ${folder.start.process?.pid})`
  const { silent } = folder
  // Of a clock that is far ahead nothing is known: the run is interrupted to everybody else, too.
  if (silent === undefined || silent > SILENCE || silent < -SILENCE) return undefined
  return `it is running, or was heard of ${Math.max(0, Math.round(silent))} s ago`
}

function notDeleted(kept: readonly RunKept[], references: ReadonlyMap<string, string[]>): MlopsError {
  const [first] = kept
  const isNamed = references.has(first?.run ?? '')
  const others = kept.length > 1 ? ` (and ${kept.length - 1} more)` : ''
  return refused({
    code: isNamed ? 'RUN_REFERENCED' : 'RUN_RUNNING',
    message: `Run ${first?.run} is not deleted, because ${first?.why}${others}. Nothing was deleted.`,
    hint: isNamed ? `What is relied on stays. See it: mlops run show ${first?.run}` : endFirst(first?.why ?? ''),
    details: kept.length > 1 ? { problems: kept.map(({ run, why }) => `${run}: ${why}`) } : { run: first?.run },
  })
}

/** A process that is known to be here is ended here. */
function endFirst(why: string): string {
  const pid = /\(process (\d+)\)/.exec(why)?.[1]
  return pid === undefined
    ? 'End it where it runs; a run that was killed on another host counts as dead after 10 minutes of silence'
    : `End it first: kill ${pid}`
}

const taken = (run: string): string =>
  `Run ${run} stays: there is another one of this id in the trash. Restore or purge that first`

function registeredMeanwhile(named: readonly (readonly [string, string[]])[]): MlopsError {
  const [run, by] = named[0] ?? ['', []]
  return conflict({
    code: 'RUN_REGISTERED_MEANWHILE',
    message: `While run ${run} was deleted, ${by.join(', ')} came to need it. It was taken out of the trash again${named.length > 1 ? `, and so were ${named.length - 1} more` : ''}.`,
    hint: `Look: mlops run show ${run}`,
    details: { runs: named.map(([id]) => id) },
  })
}

function putBackMeanwhile(runs: readonly string[]): MlopsError {
  const [run] = runs
  const more = runs.length > 1 ? `, and so were ${runs.length - 1} more` : ''
  return conflict({
    code: 'RUN_PUT_BACK',
    message: `Run ${run} was deleted, and was put back at the same moment: somebody registers a version of it, or restored it${more}.`,
    hint: `Look whether it is needed: mlops run show ${run}. Otherwise delete it again`,
    details: { runs },
  })
}
