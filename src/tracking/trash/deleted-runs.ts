/** Runs in the trash as commands show and name them, and taking them out of it. */
import type { Actor, Context } from '../../core/context.ts'
import { conflict, type MlopsError, notFound, usage } from '../../core/errors.ts'
import type { Store } from '../../store/store.ts'
import { unnamed } from '../records/resolve-run.ts'

export interface DeletedRow {
  readonly run: string
  readonly model: string | null
  readonly started: string | null
  readonly command: readonly string[]
  /** Null where the record of it is lost. */
  readonly deleted: { readonly time: string; readonly by: Actor; readonly reason: string | null } | null
  readonly files: number
  readonly bytes: number
}

export interface DeletedList {
  /** As `run list` names its lines; the same as `deleted`. */
  readonly runs: readonly DeletedRow[]
  readonly deleted: readonly DeletedRow[]
}

/** What is in the trash, the last that was deleted first. */
export async function deletedRuns(store: Store, ofModel?: string): Promise<DeletedRow[]> {
  const rows = (await store.trash.list()).map(({ run, deletion, start, files, bytes }) => ({
    run,
    model: start?.model ?? null,
    started: start?.started ?? null,
    command: start?.command ?? [],
    deleted:
      deletion === undefined ? null : { time: deletion.time, by: deletion.actor, reason: deletion.reason ?? null },
    files,
    bytes,
  }))
  const wanted = ofModel === undefined ? rows : rows.filter(({ model }) => model === ofModel)
  return wanted.sort((a, b) => ((a.deleted?.time ?? '') < (b.deleted?.time ?? '') ? 1 : -1))
}

/**
 * @param reference an id or its beginning, in any case, or `@last`: the last that was deleted
 * @throws notFound `RUN_NOT_DELETED`, usage `RUN_AMBIGUOUS`
 */
export async function resolveDeleted(store: Store, reference: string): Promise<string> {
  if (reference.trim() === '') throw unnamed()
  if (reference.toLowerCase() === '@last') {
    const [last] = await deletedRuns(store)
    if (last !== undefined) return last.run
    throw nothingDeleted(reference, false)
  }
  const prefix = reference.toUpperCase()
  const matches = prefix === '' ? [] : (await store.trash.ids()).filter((id) => id.startsWith(prefix))
  const [only, second] = matches
  if (only === undefined)
    throw nothingDeleted(
      reference,
      (await store.runs.list()).some((id) => id.startsWith(prefix)),
    )
  if (second === undefined) return only
  throw usage({
    code: 'RUN_AMBIGUOUS',
    message: `${matches.length} runs in the trash begin with ${reference}: ${matches.slice(0, 5).join(', ')}${matches.length > 5 ? ' …' : ''}.`,
    hint: 'Write more of the id',
    details: { prefix: reference, matches: matches.slice(0, 50) },
  })
}

export interface RestoreResult {
  readonly restored: readonly string[]
}

/** @throws as `resolveDeleted`; conflict `RUN_EXISTS` */
export async function restoreRuns(ctx: Context, store: Store, references: readonly string[]): Promise<RestoreResult> {
  const ids = [...new Set(await Promise.all(references.map((reference) => resolveDeleted(store, reference))))]
  const restored: string[] = []
  for (const id of ids) {
    const moved = await store.trash.restore(id)
    if (moved === 'taken') throw exists(id, restored)
    if (moved === 'moved') restored.push(id)
    else ctx.warn(`Run ${id} was taken out of the trash by somebody else meanwhile.`)
  }
  return { restored }
}

function nothingDeleted(reference: string, isThere: boolean): MlopsError {
  return notFound({
    code: 'RUN_NOT_DELETED',
    message: isThere
      ? `Run ${reference} is not in the trash: it was not deleted.`
      : `There is no run ${reference} in the trash.`,
    hint: isThere ? `See it: mlops run show ${reference}` : 'See what is there: mlops run list --deleted',
  })
}

const exists = (id: string, restored: readonly string[]): MlopsError =>
  conflict({
    code: 'RUN_EXISTS',
    message: `There is a run ${id}, and another one of this id in the trash, which stays there.${restored.length > 0 ? ` Restored before that: ${restored.join(', ')}.` : ''}`,
    hint: `See the one that is there: mlops run show ${id}. Remove the other one for good: mlops run purge ${id}`,
    details: { run: id, restored },
  })
