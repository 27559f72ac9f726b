/**
 * Waivers: a check that does not pass, let through until a day, in somebody's name. Pure; today is a fact.
 *
 * Never waived are an approval (a person's yes is given, not excused), missing files (nothing would serve), and files
 * known to execute code when they are loaded where the risk of the model is high.
 */
import { nearest } from '../../core/nearest.ts'
import type { Gate, Waiver } from '../../project/gate-config.ts'
import type { GateCheck } from '../../store/events.ts'
import { CAN_EXECUTE } from './presence.ts'
import { type GateRules, PRODUCTION } from './rules.ts'

/** The checks with what is waived marked, and one more line for waivers that do nothing. */
export function applyWaivers(rules: GateRules, checks: readonly GateCheck[], today: string): GateCheck[] {
  if (rules.waivers.length === 0) return [...checks]
  return [...checks.map((check) => waive(rules, check, today)), ...idleWaivers(rules, checks, today)]
}

function waive(rules: GateRules, check: GateCheck, today: string): GateCheck {
  if (check.verdict !== 'fail' && check.verdict !== 'inconclusive') return check
  const [first] = rules.waivers.filter((waiver) => isFor(waiver, check))
  if (first === undefined) return check
  const why = neverWaived(rules, check)
  if (why !== undefined) return noted(check, `${why}, so the waiver of ${first.owner} does not count`)
  // Every gate that the check offends lets it through by a waiver of its own, or it is not let through.
  const granted = offended(rules, check).map((source) => longestOf(source, check, today))
  const valid = granted.filter((waiver) => waiver !== undefined)
  // Of several the one that ends first is how long it holds.
  const [waiver] = [...valid].sort((a, b) => (a.expires < b.expires ? -1 : 1))
  if (waiver === undefined || valid.length < granted.length) {
    if (isExpired(first, today)) return noted(check, `the waiver of ${first.owner} expired on ${first.expires}`)
    const whose = 'a waiver counts for what the file asks that it stands in'
    return noted(check, `the waiver of ${first.owner} does not cover it: ${whose}, and another gate refuses this too`)
  }
  const { owner, reason, expires } = waiver
  const said = valid.map((each) => `waived by ${each.owner} until ${each.expires}: ${each.reason}`).join(', ')
  const was = check.verdict === 'fail' ? 'it fails' : 'it is inconclusive'
  const note = `${said}; ${was}${check.note === undefined ? '' : `: ${check.note}`}`
  return { ...check, verdict: 'waived', note, waiver: { owner, reason, expires } }
}

const longestOf = ({ waivers }: Gate, check: GateCheck, today: string): Waiver | undefined =>
  waivers
    .filter((waiver) => isFor(waiver, check) && !isExpired(waiver, today))
    .sort((a, b) => (a.expires < b.expires ? 1 : -1))[0]

/** The gates whose own demand the check breaks; what no file asks for is asked by the stage. */
function offended({ sources, risk, stage }: GateRules, check: GateCheck): readonly Gate[] {
  const [own] = sources
  if (own === undefined) return []
  // What high risk adds, it adds to the gate of the stage.
  const isAdded = risk === 'high' && stage === PRODUCTION && ADDED.includes(check.name)
  const asking = sources.filter((source) => (source === own && isAdded) || asks(source, check))
  // Of two bounds the looser one may hold.
  const broken = asking.filter((source) => !keepsBound(source, check))
  return broken.length > 0 ? broken : asking.length > 0 ? asking : [own]
}

const ADDED = ['compare_to', 'baseline', 'run', 'data_hash']

function asks(gate: Gate, { name, metric }: GateCheck): boolean {
  if (metric !== undefined && name === `min_${metric}`) return Object.hasOwn(gate.min, metric)
  if (metric !== undefined && name === `max_${metric}`) return Object.hasOwn(gate.max, metric)
  if (name === 'recorded metrics') return Object.keys(gate.min).length + Object.keys(gate.max).length > 0
  if (name === 'compare_to') return gate.compareTo !== undefined
  if (name === 'baseline' || name === 'run' || name === 'health') return gate[name] === 'required'
  if (name === 'data_hash') return gate.dataHash === 'required'
  if (name === 'train_test_overlap') return gate.overlap !== undefined
  if (name === 'contract') return gate.contract !== undefined
  return (
    gate.slices.some(({ by }) => name === `slice ${by}`) ||
    gate.fairness.some(({ by }) => name === `fairness ${by}`) ||
    gate.external.some((rule) => name === `external ${rule.name}`)
  )
}

/** By the figure in the table: one that is missing keeps no bound. */
function keepsBound(gate: Gate, { name, metric, actual }: GateCheck): boolean {
  if (metric === undefined) return false
  if (name === `min_${metric}`) return Number(actual) >= (gate.min[metric] ?? Number.NEGATIVE_INFINITY)
  if (name === `max_${metric}`) return Number(actual) <= (gate.max[metric] ?? Number.POSITIVE_INFINITY)
  return false
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
