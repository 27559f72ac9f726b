/** A gate from the file's spelling (`compare_to`) to ours. What each key may be is in `gate-schema.ts`. */
import { given } from '../core/given.ts'
import { redactText } from '../core/redact.ts'
import { parseDuration } from './duration.ts'
import type { ExternalRule, FairnessRule, Gate, SliceRule } from './gate-config.ts'
import type { RawGate } from './gate-schema.ts'
import { emptyMap } from './schema.ts'

/** A gate as it is written, in `mlops.yaml` or in a policy's `validation`. */
export function toGate(raw: RawGate): Gate {
  return {
    ...bounds(raw.rest),
    ...given({ compareTo: raw.compare_to, overlap: raw.train_test_overlap, scan: raw.scan, contract: raw.contract }),
    margin: raw.margin ?? {},
    approval: raw.approval,
    selfApproval: raw.self_approval,
    baseline: raw.baseline,
    run: raw.run,
    dataHash: raw.data_hash,
    health: raw.health,
    slices: raw.slices.map(toSlice),
    fairness: raw.fairness.flatMap(toFairness),
    external: raw.external.flatMap(toExternal),
    waivers: raw.waivers.map(({ check, owner, reason, expires }) => ({
      check,
      owner,
      reason: withoutSecrets(reason),
      expires,
    })),
  }
}

/** With holes where something was reported. */
const withoutSecrets = (reason: string | undefined): string => (reason === undefined ? '' : redactText(reason))

function bounds(rest: Readonly<Record<string, number>>): Pick<Gate, 'min' | 'max'> {
  const starting = (prefix: string): Record<string, number> => {
    const chosen = emptyMap<number>()
    for (const [key, value] of Object.entries(rest)) if (key.startsWith(prefix)) chosen[key.slice(4)] = value
    return chosen
  }
  return { min: starting('min_'), max: starting('max_') }
}

const toSlice = ({ by, min_rows, rest }: RawGate['slices'][number]): SliceRule => ({
  by,
  ...bounds(rest ?? {}),
  ...given({ minRows: min_rows }),
})

/** One entry may name both measures: two rules. */
function toFairness(raw: RawGate['fairness'][number]): FairnessRule[] {
  return (['demographic_parity', 'equalized_odds'] as const).flatMap((measure) => {
    const max = raw[measure]
    return max === undefined ? [] : [{ by: raw.by, measure, max, ...given({ minRows: raw.min_rows }) }]
  })
}

function toExternal({ name, command, junit, timeout }: RawGate['external'][number]): ExternalRule[] {
  if (junit !== undefined) return [{ name, junit }]
  if (command === undefined) return []
  const limit = timeout === undefined ? undefined : parseDuration(timeout)
  return [{ name, command, ...given({ timeout: limit }) }]
}
