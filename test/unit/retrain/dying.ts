/** A process that is killed at a chosen record of the log of retrainings: from then on its store does nothing any more. */
import type { Store } from '../../../src/store/store.ts'

export class Killed extends Error {}

export interface Death {
  /** At the n-th record that this process writes. */
  readonly at: number
  /** `before`: what the record stands for is done, the record is not written. */
  readonly when: 'before' | 'after'
}

export interface Dying {
  readonly store: Store
  /** Kills it at once. */
  kill(): never
  readonly isDead: () => boolean
}

export function dyingStore(store: Store, death?: Death): Dying {
  let dead = false
  let written = 0
  const kill = (): never => {
    dead = true
    throw new Killed('killed')
  }
  const guarded = <T extends object>(part: T): T =>
    new Proxy(part, {
      get(target, name, receiver) {
        const member = Reflect.get(target, name, receiver)
        if (typeof member !== 'function') return member
        // What is read piece by piece is handed over as it is, not in a promise.
        if (name === 'batches' || name === 'chunks') return (...args: unknown[]) => member.apply(target, args)
        return async (...args: unknown[]) => {
          if (dead) throw new Killed('killed')
          const isRecord = name === 'take' && args[1] === 'jobs/retrain'
          if (isRecord) written += 1
          if (isRecord && death?.at === written && death.when === 'before') kill()
          const result = await member.apply(target, args)
          if (isRecord && death?.at === written && death.when === 'after') kill()
          return result
        }
      },
    })
  return {
    kill,
    isDead: () => dead,
    store: {
      root: store.root,
      id: store.id,
      objects: guarded(store.objects),
      models: guarded(store.models),
      checks: guarded(store.checks),
      claims: guarded(store.claims),
      runs: guarded(store.runs),
      serving: guarded(store.serving),
      trash: guarded(store.trash),
    },
  }
}
