/**
 * Waivers: a check that does not pass, let through until a day, in somebody's name. Pure; today is a fact.
 *
 * Never waived are an approval (a person's yes is given, not excused), missing files (nothing would serve), and files
 * known to execute code when they are loaded where the risk of the model is high.
 */
import { nearest } from '../../core/nearest.ts'
import type { Waiver } from '../../project/gate-config.ts'
import type { GateCheck } from '../../store/events.ts'
import { CAN_EXECUTE } from './presence.ts'
import type { GateRules } from './rules.ts'

/** The checks with what is waived marked, and one more line for waivers that do nothing. */
export function applyWaivers(rules: GateRules, checks: readonly GateCheck[], today: string): GateCheck[] {
  if (rules.waivers.length === 0) return [...checks]
  return [...checks.map((check) => waive(rules, check, today)), ...idleWaivers(rules, checks, today)]
}

function waive(rules: GateRules, check: GateCheck, today: string): GateCheck {
  if (check.verdict !== 'fail' && check.verdict !== 'inconclusive') return check
  const fitting = rules.waivers.filter((waiver) => isFor(waiver, check))
  const [first] = fitting
  if (first === undefined) return check
  const why = neverWaived(rules, check)
  if (why !== undefined) return noted(check, `${why}, so the waiver of ${first.owner} does not count`)
  const valid = fitting.filter((waiver) => !isExpired(waiver, today))
  // Of several the one that holds longest.
  const [waiver] = valid.sort((a, b) => (a.expires < b.expires ? 1 : -1))
  if (waiver === undefined) return noted(check, `the waiver of ${first.owner} expired on ${first.expires}`)
  const { owner, reason, expires } = waiver
  const said = `waived by ${owner} until ${expires}: ${reason}`
  const was = check.verdict === 'fail' ? 'it fails' : 'it is inconclusive'
  const note = `${said}; ${was}${check.note === undefined ? '' : `: ${check.note}`}`
  return { ...check, verdict: 'waived', note, waiver: { owner, reason, expires } }
}

/** By the check's name, or by name and metric where several checks have one name: `compare_to auc`. */
const isFor = ({ check: wanted }: Waiver, { name, metric }: GateCheck): boolean =>
  wanted === name || (metric !== undefined && wanted === `${name} ${metric}`)

/** `expires` is the last day on which it holds. */
const isExpired = ({ expires }: Waiver, today: string): boolean => expires < today

function neverWaived(rules: GateRules, { name, actual }: GateCheck): string | undefined {
  if (name === 'approval') return 'an approval is never waived'
  if (name === 'artifact') return 'missing files are never waived'
  if (name === 'scan' && rules.risk === 'high' && actual === CAN_EXECUTE) {
    return 'code in the files of a model of high risk is never waived'
  }
  return undefined
}

const noted = (check: GateCheck, more: string): GateCheck => ({
  ...check,
  note: check.note === undefined ? more : `${check.note}; ${more}`,
})

/** A waiver that nobody needs any more, or that never did anything, should be taken out: said, but no reason to refuse. */
function idleWaivers({ waivers }: GateRules, checks: readonly GateCheck[], today: string): GateCheck[] {
  const names = [
    ...new Set(checks.flatMap(({ name, metric }) => [name, ...(metric === undefined ? [] : [`${name} ${metric}`])])),
  ]
  const notes = waivers.flatMap((waiver): string[] => {
    const { check, owner, expires } = waiver
    if (!checks.some((each) => isFor(waiver, each))) {
      const close = nearest(check, names)
      const guess = close === undefined ? `its checks are ${names.join(', ')}` : `did you mean ${close}?`
      return [`the waiver of ${owner} for ${JSON.stringify(check)} names no check of this gate; ${guess}`]
    }
    return isExpired(waiver, today) ? [`the waiver of ${owner} for ${check} expired on ${expires}; take it out`] : []
  })
  if (notes.length === 0) return []
  const actual = `${notes.length} without effect`
  return [{ name: 'waivers', required: 'optional', actual, verdict: 'pass', note: notes.join('; ') }]
}
