/** The packages of a run out of its records: the whole environment, or the plain lock of older writers. Pure. */
import type { EnvironmentRecord, LockedPackage } from '../../store/run-records.ts'
import type { PackageFact, PackageFacts } from './facts.ts'

/** PEP 503: `Scikit_Learn` and `scikit-learn` are one package. */
export const packageName = (name: string): string => name.toLowerCase().replace(/[-_.]+/g, '-')

export function packagesOfEnvironment({ packages }: Pick<EnvironmentRecord, 'packages'>): PackageFacts {
  return known(
    packages.map((each) => ({
      name: each.name,
      version: each.version,
      ...(each.from === undefined ? {} : { from: sourceOf(each.from) }),
      ...(each.installed === undefined ? {} : { installed: each.installed }),
    })),
  )
}

/** `name==version` a line; a line in any other form (an editable install) is a name with all it says. */
export function packagesOfLock(text: string): PackageFacts {
  const lines = text.split('\n').map((line) => line.trim())
  return known(
    lines
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const at = line.indexOf('==')
        return at < 0
          ? { name: line, version: 'present' }
          : { name: line.slice(0, at).trim(), version: line.slice(at + 2) }
      }),
  )
}

const known = (packages: readonly PackageFact[]): PackageFacts => ({
  known: true,
  packages: new Map(packages.map((each) => [packageName(each.name), each])),
})

const sourceOf = (from: NonNullable<LockedPackage['from']>): string =>
  from.kind === 'vcs' ? `${from.vcs}+${from.url}@${from.commit}` : `${from.kind} ${from.url}`

/** The same version from the same place may still be other bytes; that is known only where both sides recorded them. */
export function samePackage(a: PackageFact, b: PackageFact): boolean {
  if (a.version !== b.version || a.from !== b.from) return false
  return a.installed === undefined || b.installed === undefined || a.installed === b.installed
}
