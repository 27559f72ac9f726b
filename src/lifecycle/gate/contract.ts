/** `contract: compatible`, as a check of a gate: whoever asks the version in the stage can ask this one the same way. Pure. */
import type { GateCheck } from '../../store/events.ts'
import { describeContract } from '../versions/contract.ts'
import type { GateFacts } from './facts.ts'
import type { GateRules } from './rules.ts'

/** An empty stage has nobody who asks it. Without examples and baseline of one of the two nothing can be compared: no pass. */
export function contractCheck(rules: GateRules, { contract }: GateFacts): GateCheck[] {
  if (rules.contract !== 'compatible') return []
  const check = { name: 'contract', required: `compatible with ${rules.stage}` }
  if (contract === undefined) return [{ ...check, actual: 'not read', verdict: 'inconclusive' }]
  if (contract === null) return [{ ...check, actual: `nothing in ${rules.stage}`, verdict: 'pass' }]
  const { verdict } = contract
  if (verdict === 'unknown') {
    const note =
      'one of the two has neither examples nor a baseline that say what it takes; register with --baseline DATA'
    return [{ ...check, actual: verdict, verdict: 'inconclusive', note }]
  }
  if (verdict === 'breaking') {
    return [{ ...check, actual: verdict, verdict: 'fail', note: describeContract(contract) }]
  }
  // Callers go on as before; a service that was generated knows its columns only.
  const added = contract.changes.filter(({ what }) => what === 'added').map(({ summary }) => summary)
  return [{ ...check, actual: verdict, verdict: 'pass', ...(added.length === 0 ? {} : { note: added.join('; ') }) }]
}
