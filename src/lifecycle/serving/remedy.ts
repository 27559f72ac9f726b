/**
 * What to do about services that do not serve what their stage points to: one command, and why it. From what they say
 * themselves (docs/store-format.md, section 4), so a proposal and nothing more. Pure.
 */
import { versionName } from '../../core/names.ts'
import type { StageEntry } from '../../store/events.ts'
import type { Service } from './services.ts'

export interface Remedy {
  readonly command: string
  /** One sentence without an end: what is wrong, and what the command does about it. */
  readonly why: string
}

/** Bytes that are not there, or not what they were: no other code and no restart mends them. */
const DAMAGE = /\b(?:damaged|digest does not match|is not in the store)\b/

/** It can be loaded, and answers otherwise than it did: the code of the service is not at fault. */
const GOLDEN = /\bgolden\b|\ba row alone gives\b/

/**
 * Of the first service that does not follow, which is the worst.
 * @param services as `servicesOf` sorts them
 */
export function remedyOf(
  model: string,
  entry: Pick<StageEntry, 'version' | 'rollout'>,
  services: readonly Service[],
): Remedy {
  const worst = services.find(({ verdict }) => verdict !== 'follows')
  // Who answers with the version of the stage keeps the one out that is rolled out.
  const kept = worst?.version === entry.version ? entry.rollout?.version : undefined
  const wanted = versionName(model, kept ?? entry.version)
  const look = `mlops status ${model}`
  if (worst === undefined) return { command: look, why: 'all running services follow' }
  const { instance, host, why, verdict } = worst
  const who = `${instance} on ${host}`
  if (why !== null && DAMAGE.test(why)) {
    return {
      command: 'mlops store verify',
      why: `${who}: ${why}; this names the damaged files, to be restored from a copy. Until then: mlops rollback ${model}`,
    }
  }
  if (why !== null && GOLDEN.test(why)) {
    return {
      command: `mlops model show ${wanted}`,
      why: `${who}: ${why}; it does not answer there as it did when it was registered: look at its packages, then register it again or go back to another version`,
    }
  }
  const scaffold = `mlops scaffold fastapi ${wanted}`
  if (why !== null) {
    return {
      command: scaffold,
      why: `${who}: ${why}; this makes the service's code for ${wanted}: deploy it, or run what your service is made of with code that takes this version`,
    }
  }
  if (verdict === 'silent') {
    return { command: look, why: `${who} has said nothing for 15 s and more: it is gone or hangs; start it again` }
  }
  return {
    command: look,
    why: `${who} has not taken ${wanted} yet: look again, then at its log; restart it where it stays so`,
  }
}
