/** `health: required`, as a check of a gate: what the last drift check of this very version found. Pure. */
import { versionName } from '../../core/names.ts'
import type { GateCheck } from '../../store/events.ts'
import type { GateFacts, VersionFacts } from './facts.ts'
import type { GateRules } from './rules.ts'

/**
 * Only `stable` passes, of a check on enough rows that speaks for today. One that never was made fails: missing data is
 * never healthy.
 */
export function healthCheck(rules: GateRules, { challenger, lastCheck: health }: GateFacts): GateCheck[] {
  if (rules.health !== 'required') return []
  const check = { name: 'health', required: 'the last drift check is stable' }
  const type = `check it: ${driftCommand(challenger)}`
  if (health === undefined) {
    return [{ ...check, actual: 'not read', verdict: 'inconclusive', note: `its checks cannot be read; ${type}` }]
  }
  const { verdict, checked, breaches, stale, small, rows, before } = health
  if (verdict === 'never checked') return [{ ...check, actual: verdict, verdict: 'fail', note: type }]
  const day = checked?.slice(0, 10) ?? 'an unknown day'
  if (breaches.length > 0) {
    return [{ ...check, actual: `breach on ${day}`, verdict: 'fail', note: breaches.join('; ') }]
  }
  const actual = `${verdict} on ${day}`
  if (verdict === 'drift') return [{ ...check, actual, verdict: 'fail', note: health.summary ?? type }]
  if (small && before?.verdict !== undefined) {
    // A few rows neither hide nor replace what many said.
    const said = `${before.verdict} on ${before.checked.slice(0, 10)}`
    const verdictBefore = before.verdict === 'stable' ? 'pass' : before.verdict === 'drift' ? 'fail' : 'inconclusive'
    const note = `the check of ${day} looked at ${rows ?? 'a few'} rows only; the one before is what counts`
    return [{ ...check, actual: said, verdict: verdictBefore, note }]
  }
  const doubts = [
    ...(verdict === 'inconclusive' ? [health.summary ?? 'it had too little data'] : []),
    ...(small ? [`it looked at ${rows ?? 'a few'} rows only`] : []),
    ...(stale ? ['it is too old to speak for today'] : []),
  ]
  if (doubts.length === 0) return [{ ...check, actual, verdict: 'pass' }]
  return [{ ...check, actual, verdict: 'inconclusive', note: `${doubts.map(withoutStop).join('; ')}; ${type}` }]
}

/** A summary is a sentence; here another part follows it. */
const withoutStop = (text: string): string => text.replace(/\.$/, '')

const driftCommand = ({ model, version }: VersionFacts): string =>
  `mlops drift ${versionName(model, version)} --current DATA`
