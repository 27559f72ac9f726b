/** What is equal, in the few words of one line, and what is not known. Pure. */
import type { RunComparison } from './compare.ts'
import { labelOf } from './rows.ts'

type Subjects = Omit<RunComparison, 'same' | 'unknown' | 'remarks' | 'runs' | 'differences'>

/** `data`, `12 parameters`, `packages`: subjects that are equal as a whole by their name, of others how many are. */
export function sameWords(found: Subjects): string[] {
  const { command, code, packages, surroundings } = found
  const whole = (kind: string, name: string): string[] => {
    const rows = surroundings.filter((row) => row.kind === kind)
    return rows.length > 0 && rows.every(({ same }) => same) ? [name] : []
  }
  return [
    ...counted(found.metrics, 'metric'),
    ...counted(found.params, 'parameter'),
    ...(command.same ? ['command'] : []),
    ...dataWords(found.data),
    ...(code.verdict === 'same' ? ['code'] : []),
    ...packageWords(packages),
    ...whole('python', 'Python'),
    ...whole('seed', 'seed'),
    ...whole('host', 'host'),
    ...counted(
      surroundings.filter(({ kind }) => kind === 'variables'),
      'variable',
    ),
    ...counted(found.tags, 'tag'),
    ...counted(found.artifacts, 'artifact'),
  ]
}

const plural = (count: number, noun: string): string =>
  `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`

function counted(rows: readonly { readonly same: boolean }[], noun: string): string[] {
  const count = rows.filter(({ same }) => same).length
  return count === 0 ? [] : [plural(count, noun)]
}

function dataWords(rows: RunComparison['data']): string[] {
  const same = rows.filter((row) => row.same).map(({ name }) => name)
  if (same.length === 0) return []
  return same.length === rows.length ? ['data'] : [`data ${same.join(', ')}`]
}

function packageWords({ rows, verdict }: RunComparison['packages']): string[] {
  if (verdict === 'unknown') return []
  return verdict === 'same' ? ['packages'] : counted(rows, 'package')
}

/** Sentences: what no comparison can be made of, and why. */
export function unknownWords({ code, packages }: Pick<RunComparison, 'code' | 'packages'>): string[] {
  return [...unknownCode(code), ...unknownPackages(packages)]
}

function unknownCode({ verdict, rows }: RunComparison['code']): string[] {
  if (verdict !== 'unknown') return []
  const commits = rows.find(({ name }) => name === 'commit')?.cells
  if (commits === undefined) return ['Code: no run records a repository.']
  const without = commits.flatMap((cell, at) => (cell === null ? [labelOf(at)] : []))
  return without.length > 0
    ? [`Code: ${without.join(', ')} ${without.length === 1 ? 'records' : 'record'} no repository.`]
    : ['Code: uncommitted changes were not recorded.']
}

/** Runs that give the same reason share a sentence. */
function unknownPackages({ unknown }: RunComparison['packages']): string[] {
  const byReason = new Map<string, string[]>()
  for (const [at, why] of unknown.entries()) {
    if (why !== null) byReason.set(why, [...(byReason.get(why) ?? []), labelOf(at)])
  }
  return [...byReason].map(([why, labels]) => `Packages of ${labels.join(', ')}: ${why.replace(/\.$/, '')}.`)
}
