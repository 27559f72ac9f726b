/**
 * A run that was put into the trash while it went on: its machine was asleep, and to others it was dead. Before its end
 * is written it is taken out again, as no run that goes on may be deleted.
 */
import { isMlopsError } from '../../core/errors.ts'
import type { RunStart } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'

/** @returns what to say of it; undefined for a run that is where it was */
export async function backFromTrash(store: Store, start: RunStart): Promise<string | undefined> {
  const { id } = start
  if (!(await isGone(store, id))) return undefined
  const again = `delete it now that it has ended: mlops run delete ${id}`
  if ((await store.trash.restore(id)) === 'moved') {
    return `this run was deleted while it went on; it was taken out of the trash with all that it recorded; ${again}`
  }
  await store.runs.create(start)
  return `this run was deleted for good while it went on; what it had logged until then is lost; ${again}`
}

async function isGone(store: Store, id: string): Promise<boolean> {
  try {
    await store.runs.read(id)
    return false
  } catch (error) {
    return isMlopsError(error) && error.code === 'RUN_NOT_FOUND'
  }
}
