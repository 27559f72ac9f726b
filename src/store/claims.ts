/**
 * Numbered put-if-absent claims of a model: who takes number n does the work, and nobody else does. A claim is never
 * taken back; a dead one is superseded by the next number.
 */
import type { Json } from '../core/canonical-json.ts'
import { assertName } from '../core/names.ts'
import type { Backend } from './backend.ts'
import { recordDamaged } from './checks.ts'
import { modelFolder, numbered, numberOf } from './layout.ts'
import { openSealed, seal, sealProblem } from './sealed.ts'
import type { Claims } from './store.ts'

/** Kinds of claims: the first part of a scope. */
export const CLAIM_KINDS = ['alerts', 'jobs'] as const

/** The scope of a model's retrainings (docs/store-format.md). */
export const RETRAINING = 'jobs/retrain'

/** The heartbeat of a scope: its modification time. A hint, not a record. */
export const BEAT = 'alive'

export function claimsOf(backend: Backend, now: () => Date): Claims {
  const numbersOf = async (folder: string): Promise<number[]> =>
    (await backend.list(folder)).flatMap(({ name }) => numberOf(name) ?? []).sort((a, b) => a - b)
  return {
    async newest(model, scope) {
      const folder = folderOf(model, scope)
      const number = (await numbersOf(folder)).at(-1) ?? 0
      const bytes = number === 0 ? undefined : await backend.get(`${folder}/${numbered(number)}`)
      if (bytes === undefined) return undefined
      const claim = readClaim(bytes, model, scope, number)
      if (typeof claim === 'string') throw recordDamaged(backend, `${folder}/${numbered(number)}`, claim)
      return { number, record: claim.record }
    },
    async take(model, scope, n, record) {
      const key = `${folderOf(model, scope)}/${numbered(n)}`
      const taken = await backend.putIfAbsent(key, seal({ model, scope, number: n, record }))
      // Who hears that somebody has it may rely on that, also if that somebody was killed before the last fsync.
      if (!taken) await backend.settle(key)
      return taken
    },
    async list(model, scope) {
      const folder = folderOf(model, scope)
      const numbers = await numbersOf(folder)
      const found = await backend.getMany(numbers.map((number) => `${folder}/${numbered(number)}`))
      return numbers.flatMap((number, at) => {
        const bytes = found[at]
        if (bytes === undefined) return []
        const claim = readClaim(bytes, model, scope, number)
        if (typeof claim === 'string') throw recordDamaged(backend, `${folder}/${numbered(number)}`, claim)
        return [{ number, record: claim.record }]
      })
    },
    beat: (model, scope) => backend.touch(`${folderOf(model, scope)}/${BEAT}`, now()),
    async silent(model, scope) {
      const beat = await backend.stat(`${folderOf(model, scope)}/${BEAT}`)
      return beat === undefined ? undefined : Math.max(0, (now().getTime() - beat.modified) / 1000)
    },
  }
}

/** @returns the claim, or what is wrong with its file */
export function readClaim(bytes: Buffer, model: string, scope: string, n: number): { readonly record: Json } | string {
  const problem = sealProblem(bytes)
  if (problem !== undefined) return problem
  const sealed = openSealed(bytes)
  if (sealed?.model !== model || sealed.scope !== scope || sealed.number !== n) return 'it is another claim'
  return { record: sealed.record as Json }
}

function folderOf(model: string, scope: string): string {
  assertName('model', model)
  const [kind, ...rest] = scope.split('/')
  const known = CLAIM_KINDS.some((name) => name === kind)
  const plain = rest.every((part) => /^[a-z0-9][a-z0-9._-]{0,127}$/.test(part) && numberOf(part) === undefined)
  if (!known || !plain) throw new RangeError(`${scope} is no scope of a claim`)
  return `${modelFolder(model)}/${scope}`
}
