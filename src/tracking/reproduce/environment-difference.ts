/** What an environment has otherwise than the recorded one. Pure. */
import type { PackageFact, PackageFacts } from '../compare/facts.ts'
import { samePackage } from '../compare/package-facts.ts'

export interface PackageDifference {
  readonly name: string
  readonly kind: 'missing' | 'version' | 'bytes' | 'added'
  /** Null where it is not there. */
  readonly recorded: string | null
  readonly found: string | null
}

/** What every new environment brings; a training does not import it. */
const TOOLS = new Set(['pip', 'setuptools', 'wheel'])

/** @returns the worst first: missing, another version, other bytes of the same version, added */
export function environmentDifferences(recorded: PackageFacts, found: PackageFacts): PackageDifference[] {
  if (!recorded.known || !found.known) return []
  const out: PackageDifference[] = []
  for (const [key, wanted] of recorded.packages) {
    const here = found.packages.get(key)
    if (here === undefined) out.push(entry('missing', wanted, undefined))
    else if (here.version !== wanted.version) out.push(entry('version', wanted, here))
    else if (!sameBytes(wanted, here)) out.push(entry('bytes', wanted, here))
  }
  for (const [key, here] of found.packages) {
    if (!recorded.packages.has(key)) out.push(entry('added', undefined, here))
  }
  const order = ['missing', 'version', 'bytes', 'added']
  return out
    .filter(({ name, kind }) => !(TOOLS.has(name.toLowerCase()) && kind !== 'version') && name.toLowerCase() !== 'pip')
    .sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || (a.name < b.name ? -1 : 1))
}

/** Where a package comes from is another word in another place (a folder of the worktree); its bytes are what counts. */
const sameBytes = (a: PackageFact, b: PackageFact): boolean =>
  samePackage({ name: a.name, version: a.version, ...digest(a) }, { name: b.name, version: b.version, ...digest(b) })

const digest = ({ installed }: PackageFact): Pick<PackageFact, 'installed'> =>
  installed === undefined ? {} : { installed }

const entry = (
  kind: PackageDifference['kind'],
  recorded: PackageFact | undefined,
  found: PackageFact | undefined,
): PackageDifference => ({
  name: (recorded ?? found)?.name ?? '',
  kind,
  recorded: recorded?.version ?? null,
  found: found?.version ?? null,
})

/** `numpy 2.1.0 instead of 2.3.5` */
export function packageWords({ name, kind, recorded, found }: PackageDifference): string {
  switch (kind) {
    case 'missing':
      return `${name} ${recorded} is missing`
    case 'added':
      return `${name} ${found} was not there`
    case 'bytes':
      return `${name} ${found} has other bytes`
    default:
      return `${name} ${found} instead of ${recorded}`
  }
}
