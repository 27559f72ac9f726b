/**
 * What may have caused two runs to end differently: one sentence for each subject in which they differ, or of which
 * nothing is known, the likeliest cause first. Pure. `run reproduce` names its causes from here.
 */
import type { DeclaredData, ParamValue } from '../../store/run-records.ts'
import { type CodeState, codeState, sameCode } from './code-state.ts'
import { knownPaths, type RunFacts, telling } from './facts.ts'
import { samePackage } from './package-facts.ts'

export type DifferenceKind =
  | 'code'
  | 'data'
  | 'seed'
  | 'parameters'
  | 'command'
  | 'packages'
  | 'python'
  | 'environment'
  | 'host'

export interface Difference {
  readonly kind: DifferenceKind
  /** `unknown`: one of the two does not say, so it may be a cause. */
  readonly state: 'different' | 'unknown'
  /** One sentence with a full stop. */
  readonly text: string
  /** What differs, by name: data, parameters, packages, variables. Empty where there is one thing only. */
  readonly names: readonly string[]
}

/**
 * Paths of the interpreter and of the folder are left out: what lies there is compared instead.
 * @returns in the order of `DifferenceKind`; at most one of a kind
 */
export function differencesOf(a: RunFacts, b: RunFacts): Difference[] {
  const found = [
    code(a, b),
    data(a, b),
    seed(a, b),
    named('parameters', 'parameter', differing(a.params, b.params)),
    command(a, b),
    packages(a, b),
    python(a, b),
    named('environment', 'environment variable', differing(telling(a), telling(b))),
    host(a, b),
  ]
  return found.filter((each) => each !== undefined)
}

const different = (kind: DifferenceKind, text: string, names: readonly string[] = []): Difference => ({
  kind,
  state: 'different',
  text,
  names,
})

const unknown = (kind: DifferenceKind, text: string): Difference => ({ kind, state: 'unknown', text, names: [] })

function code(a: RunFacts, b: RunFacts): Difference | undefined {
  const [one, other] = [codeState(a.git, knownPaths(a)), codeState(b.git, knownPaths(b))]
  const verdict = sameCode(one, other)
  if (verdict === 'same') return undefined
  if (verdict === 'unknown') return unknown('code', 'The code of at least one run is not fully recorded.')
  if (one.commit !== other.commit) return different('code', `The code differs: commit ${at(one)}, then ${at(other)}.`)
  const where = one.patch !== other.patch ? 'the uncommitted changes are others' : 'a submodule is at another state'
  return different('code', `The code differs: ${where}.`)
}

const at = ({ commit }: CodeState): string => (commit === null ? 'none' : commit.slice(0, 12))

function data(a: RunFacts, b: RunFacts): Difference | undefined {
  const digests = ({ data }: RunFacts): Record<string, string> =>
    Object.fromEntries(data.map(({ name, sha256 }) => [name, sha256]))
  const names = differing(digests(a), digests(b))
  if (names.length === 0) return undefined
  const [name] = names
  if (names.length > 1 || name === undefined) return named('data', 'declared data', names)
  const [before, after] = [a, b].map((run) => run.data.find((each) => each.name === name))
  if (before === undefined || after === undefined) {
    return different('data', `Only one of the runs declares the data ${name}.`, names)
  }
  return different('data', `The data ${name} differ${sizes(before, after)}.`, names)
}

function sizes(before: DeclaredData, after: DeclaredData): string {
  const [had, has] = [before.rows, after.rows]
  if (had === undefined || has === undefined) return ''
  return had === has ? ` (${count(had)} rows both times)` : ` (${count(had)} rows, then ${count(has)})`
}

const count = (value: number): string => value.toLocaleString('en-US')

const seed = (a: RunFacts, b: RunFacts): Difference | undefined =>
  a.seed === b.seed ? undefined : different('seed', `The seed differs: ${a.seed ?? 'none'}, then ${b.seed ?? 'none'}.`)

function command(a: RunFacts, b: RunFacts): Difference | undefined {
  if (JSON.stringify(withoutPath(a.command)) === JSON.stringify(withoutPath(b.command))) return undefined
  return different('command', 'The command line differs.')
}

/** `/venv/bin/python` and `python` are told apart by what is installed there, not by their name. */
const withoutPath = ([program = '', ...rest]: readonly string[]): string[] => [program.replace(/^.*[/\\]/, ''), ...rest]

function packages(a: RunFacts, b: RunFacts): Difference | undefined {
  if (a.python === null && b.python === null) return undefined
  if (!a.packages.known || !b.packages.known) {
    const why = a.packages.known ? (b.packages.known ? '' : b.packages.why) : a.packages.why
    return unknown('packages', `Packages cannot be compared: ${why.replace(/\.$/, '')}.`)
  }
  const [before, after] = [a.packages.packages, b.packages.packages]
  const names = [...new Set([...before.keys(), ...after.keys()])].sort().filter((name) => {
    const [one, other] = [before.get(name), after.get(name)]
    return one === undefined || other === undefined || !samePackage(one, other)
  })
  if (names.length === 0) return undefined
  const side = (from: typeof before, name: string): string => from.get(name)?.version ?? 'absent'
  const shown = names.slice(0, 3).map((name) => {
    const [had, has] = [side(before, name), side(after, name)]
    return had === has ? `${name} ${had} in another build` : `${name} ${had}, then ${has}`
  })
  const more = names.length > 3 ? `; and ${names.length - 3} more` : ''
  const verb = names.length === 1 ? '1 package differs' : `${names.length} packages differ`
  return different('packages', `${verb}: ${shown.join('; ')}${more}.`, names)
}

function python(a: RunFacts, b: RunFacts): Difference | undefined {
  if (a.python === null && b.python === null) return undefined
  if (a.python === null || b.python === null) return unknown('python', 'Only one of the runs records its Python.')
  const name = (run: RunFacts): string =>
    [run.environment?.python.implementation ?? '', run.python?.version ?? ''].join(' ').trim()
  // What one of the two does not record is no difference.
  const [before, after] =
    a.environment === null || b.environment === null ? [a.python.version, b.python.version] : [name(a), name(b)]
  return before === after ? undefined : different('python', `Python differs: ${before}, then ${after}.`)
}

function host(a: RunFacts, b: RunFacts): Difference | undefined {
  const kinds = [
    ['platform', a.host.platform, b.host.platform],
    ['processor', a.host.cpu, b.host.cpu],
    ['graphics processors', gpus(a), gpus(b)],
  ] as const
  const names = kinds
    .filter(([, one, other]) => one !== undefined && other !== undefined && one !== other)
    .map(([name]) => name)
  if (names.length > 0) {
    return different('host', `The machine differs (${names.join(', ')}): ${a.host.name}, then ${b.host.name}.`, names)
  }
  if (a.host.name === b.host.name && a.host.cpus === b.host.cpus) return undefined
  return a.host.name === b.host.name
    ? different('host', `The number of processors differs: ${a.host.cpus}, then ${b.host.cpus}.`, ['processors'])
    : different('host', `The machine differs: ${a.host.name}, then ${b.host.name}.`, ['name'])
}

const gpus = ({ host }: RunFacts): string | undefined =>
  host.gpus?.map(({ name, driver }) => `${name} ${driver ?? ''}`).join(', ')

function differing(a: Readonly<Record<string, ParamValue>>, b: Readonly<Record<string, ParamValue>>): string[] {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort()
  return names.filter(
    (name) => Object.hasOwn(a, name) !== Object.hasOwn(b, name) || !Object.is(a[name] ?? null, b[name] ?? null),
  )
}

/** @param noun in the singular; `declared data` has none */
function named(kind: DifferenceKind, noun: string, names: readonly string[]): Difference | undefined {
  if (names.length === 0) return undefined
  const shown = names.slice(0, 5).join(', ')
  const more = names.length > 5 ? ` and ${names.length - 5} more` : ''
  const subject =
    noun === 'declared data'
      ? 'Declared data differ'
      : names.length === 1
        ? `A ${noun} differs`
        : `${names.length} ${noun}s differ`
  return different(kind, `${subject.replace(/^A (?=e)/, 'An ')}: ${shown}${more}.`, names)
}
