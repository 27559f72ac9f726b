/** Packages of several runs: added, removed, other versions, other builds of one version. Pure. */
import type { PackageFact, PackageFacts } from './facts.ts'
import { samePackage } from './package-facts.ts'
import { namesOf, type Row } from './rows.ts'

export interface PackageCell {
  readonly version: string
  /** Where it came from, if not from an index. */
  readonly from: string | null
  /** Digest of what is installed, where it was recorded. */
  readonly installed: string | null
}

export interface PackagesComparison {
  /** `unknown`: fewer than two runs record their packages. */
  readonly verdict: 'same' | 'different' | 'unknown'
  /** In the order of the runs: why the packages are not known; null where they are. */
  readonly unknown: readonly (string | null)[]
  /** Cells of runs whose packages are not known are null and count for nothing. */
  readonly rows: readonly Row<PackageCell>[]
}

export function comparePackages(runs: readonly PackageFacts[]): PackagesComparison {
  const unknown = runs.map((run) => (run.known ? null : run.why))
  const known = runs.filter((run) => run.known).map(({ packages }) => packages)
  const rows = namesOf(known.map((packages) => packages.keys())).map((name): Row<PackageCell> => {
    const facts = known.map((packages) => packages.get(name))
    const cells = runs.map((run) => (run.known ? cellOf(run.packages.get(name)) : null))
    const [first] = facts
    const same = first !== undefined && facts.every((fact) => fact !== undefined && samePackage(first, fact))
    return { name: facts.find((fact) => fact !== undefined)?.name ?? name, cells, same }
  })
  if (known.length < 2) return { verdict: 'unknown', unknown, rows }
  return { verdict: rows.every(({ same }) => same) ? 'same' : 'different', unknown, rows }
}

const cellOf = (fact: PackageFact | undefined): PackageCell | null =>
  fact === undefined ? null : { version: fact.version, from: fact.from ?? null, installed: fact.installed ?? null }
