/** Why a reproduction came out differently, as far as the records of both runs can say. Pure. */

import { shellWord } from '../../core/shell.ts'
import { type Difference, differencesOf } from '../compare/differences.ts'
import type { PackageFact, PackageFacts, RunFacts } from '../compare/facts.ts'
import { seedsInParams } from '../execute/seed.ts'
import { BY_NUMBERS, BY_PATH } from './artifact-notes.ts'
import type { ResultRow } from './compare-runs.ts'
import { type PackageDifference, packageWords } from './environment-difference.ts'
import type { ReproducePlan } from './types.ts'

export interface Cause {
  readonly kind: Difference['kind'] | 'unseeded'
  /** `certain`: recorded to differ. `possible`: not recorded, so it may. `left over`: nothing else remains. */
  readonly state: 'certain' | 'possible' | 'left over'
  /** One sentence. */
  readonly text: string
}

const ORDER: readonly Cause['kind'][] = [
  ...(['code', 'data', 'packages', 'python', 'seed', 'parameters', 'command', 'environment', 'host'] as const),
  'unseeded',
]

export interface CauseFacts {
  readonly original: RunFacts
  readonly reproduction: RunFacts
  readonly plan: ReproducePlan
  /** What is installed otherwise than recorded. */
  readonly environment: readonly PackageDifference[]
  /** The command was run twice, and came out differently from itself. */
  readonly unsteady: boolean
  readonly rows: readonly ResultRow[]
}

/** @returns the likeliest first; never empty */
export function causesOf(facts: CauseFacts): Cause[] {
  const { original, reproduction, plan } = facts
  const found: Cause[] = differencesOf(comparable(original), comparable(adopted(original, reproduction)))
    // Packages were compared before the command ran; what is not recorded of the code is among the plan's risks.
    .filter(({ kind, state }) => kind !== (state === 'different' ? 'packages' : 'code'))
    // Where none was recorded the present one is as good as any.
    .filter(({ kind }) => kind !== 'seed' || original.seed !== null)
    .map(({ kind, state, text }) => ({ kind, state: state === 'different' ? 'certain' : 'possible', text }))
  const packages = facts.environment.filter(({ kind }) => kind !== 'added')
  if (packages.length > 0) found.push({ kind: 'packages', state: 'certain', text: packagesText(packages) })
  if (!found.some(({ kind }) => kind === 'code')) {
    const lost = plan.risks.find((risk) => /^Of the uncommitted changes|^There were uncommitted changes/.test(risk))
    if (lost !== undefined) found.push({ kind: 'code', state: 'possible', text: lost })
  }
  const unknown = plan.data.filter(({ sha256 }) => sha256 === null).map(({ path }) => path)
  if (unknown.length > 0) {
    const text = `Nobody recorded what the original read as ${unknown.join(', ')}.`
    found.push({ kind: 'data', state: 'possible', text })
  }
  const rank = ({ kind, state }: Cause): number => (state === 'certain' ? 0 : 100) + ORDER.indexOf(kind)
  const sorted = found.sort((a, b) => rank(a) - rank(b))
  const leftOver: Cause = {
    kind: 'unseeded',
    state: facts.unsteady ? 'certain' : 'left over',
    text: unseeded(facts, sorted),
  }
  return facts.unsteady ? [leftOver, ...sorted] : [...sorted, leftOver]
}

/** What this reproduction itself changed is no cause: where the interpreter lies, paths that lead into the worktree. */
const adopted = ({ command, env }: RunFacts, reproduction: RunFacts): RunFacts => {
  const { PYTHONPATH: _, ...rest } = reproduction.env
  const path = env.PYTHONPATH
  return { ...reproduction, command, env: path === undefined ? rest : { ...rest, PYTHONPATH: path } }
}

/** `pip` is part of every new environment and of no training. */
const comparable = (run: RunFacts): RunFacts => ({ ...run, packages: withoutPip(run.packages) })

function withoutPip(facts: PackageFacts): PackageFacts {
  if (!facts.known) return facts
  const kept = [...facts.packages].filter(([name]) => name !== 'pip')
  return { known: true, packages: new Map<string, PackageFact>(kept) }
}

function packagesText(differences: readonly PackageDifference[]): string {
  const shown = differences.slice(0, 3).map(packageWords).join('; ')
  const more = differences.length > 3 ? `; and ${differences.length - 3} more` : ''
  const verb = differences.length === 1 ? '1 package differs' : `${differences.length} packages differ`
  return `${verb}: ${shown}${more}.`
}

function unseeded({ original, unsteady, rows }: CauseFacts, others: readonly Cause[]): string {
  if (unsteady) {
    return 'Run twice in the same place, the command came out differently from itself: it is not deterministic.'
  }
  const stamped = rows.filter(({ verdict }) => verdict === 'different' || verdict === 'missing')
  if (stamped.every(({ note }) => note === BY_NUMBERS || note === BY_PATH)) {
    const names = stamped.map(({ name }) => name)
    const flags = names.map((name) => `--ignore ${shellWord(name)}`).join(' ')
    return `Everything else is equal: ${names.join(', ')} may hold a time or a path. If ${names.length === 1 ? 'it does' : 'they do'} not matter: ${flags}`
  }
  const nothing = others.some(({ state }) => state === 'certain') ? 'Besides, the' : 'Nothing recorded differs: the'
  const seeds = seedsInParams({ ...seedsInWords(original.command), ...original.params })
  const open = seeds.find((seed) => seed.unseeded)
  if (open !== undefined) return `${nothing} script draws numbers without a seed: ${open.name} is ${open.value}.`
  const [seed] = seeds
  const isChosen = original.seedFrom === 'flag' || original.seedFrom === 'environment'
  if (seed === undefined && !isChosen) {
    return `${nothing} script may draw numbers that no recorded seed governs. Seed it (MLOPS_SEED is set for it), or prove it with --twice.`
  }
  const named = seed === undefined ? `MLOPS_SEED=${original.seed}` : `${seed.name}=${seed.value}`
  return `${nothing} script draws numbers that ${named} does not govern, or depends on the order of threads or on the time. Prove it with --twice.`
}

/** `--seed 7`, `--random-state=7`, `model.seed=7` */
const seedsInWords = (words: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    words.flatMap((word, at) => {
      const [name = '', value] = word.split('=', 2)
      return value === undefined ? (name.startsWith('--') ? [[name, words[at + 1] ?? '']] : []) : [[name, value]]
    }),
  )
