/** Many files at once where one that cannot be read must not hide the others. What is wrong with it `get` says. */
import type { Backend } from './backend.ts'

/** @returns undefined for what is not there, and for what cannot be read */
export async function readableOf(backend: Backend, keys: readonly string[]): Promise<(Buffer | undefined)[]> {
  try {
    return await backend.getMany(keys)
  } catch {
    return Promise.all(keys.map((key) => backend.get(key).catch(() => undefined)))
  }
}
