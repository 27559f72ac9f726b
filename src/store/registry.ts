/** `registry.json`: the format and the random id of a store. Its digest is the `prev` of every first event. */
import { type Digest, sha256 } from '../core/digest.ts'
import { openSealed, seal, sealProblem } from './sealed.ts'

export interface Registry {
  readonly format: number
  readonly id: string
  /** Of the file's bytes. */
  readonly digest: Digest
}

export const registryBytes = (format: number, id: string): Buffer => seal({ format, id })

/** @returns the registry, or what is wrong with its file */
export function parseRegistry(bytes: Buffer): Registry | string {
  const problem = sealProblem(bytes)
  if (problem !== undefined) return problem
  const record = openSealed(bytes)
  const format = record?.format
  const id = record?.id
  if (typeof format !== 'number' || !Number.isInteger(format) || format < 1) return 'it has no valid "format"'
  if (typeof id !== 'string' || !/^[0-9a-f]{32}$/.test(id)) return 'it has no valid "id"'
  return { format, id, digest: sha256(bytes) }
}
