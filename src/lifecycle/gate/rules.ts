/**
 * Which rules a stage move must keep: the gate of mlops.yaml, what the model's risk adds, and the policy's validation
 * when a retraining asks. Pure. Judging a version by these rules is in `gate.ts`.
 *
 *   rule                          low        standard     high
 *   production: approval          1          1            1
 *   production: files             required   required     required
 *   production: baseline          configured warns        required
 *   production: run, data hash    configured configured   required
 *   production: a metric bound    configured configured   required, and compared with production
 *   production: authors approve   configured configured   refused
 *   held-out rows trained on      noted      warns        warns; `train_test_overlap` fails at every risk
 *   scan "can execute code"       noted      warns        fails, in every stage; `scan` fails at every risk
 */
import { canonicalJson } from '../../core/canonical-json.ts'
import { type Digest, sha256 } from '../../core/digest.ts'
import type { ModelConfig, Risk } from '../../project/config.ts'
import { ANY_METRIC, type Gate, type Margin, NO_GATE } from '../../project/gate-config.ts'

export const PRODUCTION = 'production'

/** The gate that is in force for one move, and the digest that a verdict is bound to. */
export interface GateRules extends Omit<Gate, 'compareTo' | 'margin' | 'overlap' | 'scan' | 'contract'> {
  readonly stage: string
  readonly risk: Risk
  /** Stages whose versions must not be better. */
  readonly compareTo: readonly string[]
  /** By stage of `compareTo`: the margins of each gate that asks for the comparison. The smallest counts. */
  readonly margins: Readonly<Record<string, readonly Gate['margin'][]>>
  /** What the model files may hold; null: anything, and what can run code is said. */
  readonly scan: 'no code' | 'inert' | null
  /** What callers of the version in the stage know must hold on. */
  readonly contract: 'compatible' | null
  /** Largest share of held-out rows that may stand in the training data; null: none was set. */
  readonly overlap: number | null
  /** The gates that the rules are of: the stage's, then the policy's. A waiver counts for what its own gate asks. */
  readonly sources: readonly Gate[]
  /** `evaluate:` of mlops.yaml, by which a champion is measured: as much a rule as any bound. */
  readonly evaluate: string | null
  /** At least one min_ or max_ must be configured. */
  readonly bound: 'required' | 'optional'
  /** Of everything above: another digest means that a verdict no longer holds. */
  readonly digest: Digest
}

/** @param validation the policy's own gate, which must hold besides the stage's; of two bounds the stricter counts */
export function gateRules(
  config: Pick<ModelConfig, 'risk' | 'gates' | 'evaluate'>,
  stage: string,
  validation: Gate = NO_GATE,
): GateRules {
  const configured = (Object.hasOwn(config.gates, stage) ? config.gates[stage] : undefined) ?? NO_GATE
  const production = stage === PRODUCTION
  const demanding = production && config.risk === 'high'
  const both = [configured, validation]
  const need = (key: 'baseline' | 'run' | 'dataHash' | 'health', always: boolean): 'required' | 'optional' =>
    always || both.some((gate) => gate[key] === 'required') ? 'required' : 'optional'
  const margins = marginsOf(both, demanding)
  const overlaps = both.flatMap(({ overlap }) => overlap ?? [])
  const rules: Omit<GateRules, 'digest'> = {
    stage,
    risk: config.risk,
    min: stricter(configured.min, validation.min, Math.max),
    max: stricter(configured.max, validation.max, Math.min),
    compareTo: Object.keys(margins),
    margins,
    approval: Math.max(configured.approval, validation.approval, production ? 1 : 0),
    selfApproval: demanding || both.some(({ selfApproval }) => selfApproval === 'refused') ? 'refused' : 'allowed',
    baseline: need('baseline', demanding),
    run: need('run', demanding),
    dataHash: need('dataHash', demanding),
    health: need('health', false),
    scan: strictestScan(both, config.risk),
    contract: both.some(({ contract }) => contract === 'compatible') ? 'compatible' : null,
    overlap: overlaps.length === 0 ? null : Math.min(...overlaps),
    slices: different(both.flatMap(({ slices }) => slices)),
    fairness: different(both.flatMap(({ fairness }) => fairness)),
    external: different(both.flatMap(({ external }) => external)),
    waivers: different(both.flatMap(({ waivers }) => waivers)),
    sources: validation === NO_GATE ? [configured] : [configured, validation],
    evaluate: config.evaluate ?? null,
    bound: demanding ? 'required' : 'optional',
  }
  return { ...rules, digest: sha256(canonicalJson(rules)) }
}

function strictestScan(gates: readonly Gate[], risk: Risk): GateRules['scan'] {
  const asked = gates.flatMap(({ scan }) => scan ?? [])
  if (asked.includes('inert')) return 'inert'
  return asked.length > 0 || risk === 'high' ? 'no code' : null
}

/** What high risk adds is a comparison without a margin, unless somebody configured that comparison. */
function marginsOf(gates: readonly Gate[], demanding: boolean): GateRules['margins'] {
  const margins = new Map<string, readonly Gate['margin'][]>()
  for (const { compareTo, margin } of gates) {
    if (compareTo !== undefined) margins.set(compareTo, [...(margins.get(compareTo) ?? []), margin])
  }
  if (demanding && !margins.has(PRODUCTION)) margins.set(PRODUCTION, [{}])
  return Object.fromEntries(margins)
}

/** Which margin a gate gives a metric; undefined: none. */
export const marginOf = (margins: Gate['margin'], metric: string): Margin | undefined =>
  Object.hasOwn(margins, metric)
    ? margins[metric]
    : Object.hasOwn(margins, ANY_METRIC)
      ? margins[ANY_METRIC]
      : undefined

/** What the policy asks for a second time is asked once. */
const different = <T extends object>(rules: readonly T[]): readonly T[] => [
  ...new Map(rules.map((rule) => [canonicalJson(rule), rule])).values(),
]

/** The metrics that bounds name, and which way is better: what a comparison with the champion looks at. */
export function comparedMetrics(rules: Pick<GateRules, 'min' | 'max'>): { name: string; better: 'higher' | 'lower' }[] {
  const higher = Object.keys(rules.min).map((name) => ({ name, better: 'higher' as const }))
  // A metric with both bounds is one that must stay inside a band: more of it is taken to be better.
  const lower = Object.keys(rules.max).filter((name) => !Object.hasOwn(rules.min, name))
  return [...higher, ...lower.map((name) => ({ name, better: 'lower' as const }))]
}

/** Which way a metric is better, as far as gates say so. */
export type Directions = Readonly<Record<string, 'higher' | 'lower'>>

export const directionsOf = (rules: Pick<GateRules, 'min' | 'max'>): Directions =>
  Object.fromEntries(comparedMetrics(rules).map(({ name, better }) => [name, better]))

/** The same from all gates of a model, for a comparison that belongs to no stage. */
export function directionsOfModel({ gates }: Pick<ModelConfig, 'gates'>): Directions {
  const all = Object.values(gates)
  const merged = (of: (gate: Gate) => Gate['min']): Gate['min'] => Object.assign({}, ...all.map(of))
  return directionsOf({ min: merged(({ min }) => min), max: merged(({ max }) => max) })
}

function stricter(
  one: Readonly<Record<string, number>>,
  other: Readonly<Record<string, number>>,
  pick: (a: number, b: number) => number,
): Readonly<Record<string, number>> {
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])].sort()
  const entries = names.map((name): [string, number] => {
    const values = [one, other].flatMap((bounds) => (Object.hasOwn(bounds, name) ? [bounds[name] ?? 0] : []))
    return [name, values.reduce((a, b) => pick(a, b))]
  })
  return Object.fromEntries(entries)
}

/** Does a metric, a comparison or a test stand before the stage? */
export function isGated(
  rules: Pick<GateRules, 'min' | 'max' | 'compareTo' | 'slices' | 'fairness' | 'external'>,
): boolean {
  const bounds = Object.keys(rules.min).length + Object.keys(rules.max).length + rules.compareTo.length
  return bounds + rules.slices.length + rules.fairness.length + rules.external.length > 0
}

/** Does anything at all but a person's yes stand before it: also that a baseline, a run or a check is there? */
export const isGuarded = (rules: GateRules): boolean =>
  isGated(rules) ||
  rules.overlap !== null ||
  rules.scan !== null ||
  rules.contract !== null ||
  [rules.baseline, rules.run, rules.dataHash, rules.health].includes('required')
