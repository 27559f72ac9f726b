/**
 * What changed between two versions: metrics, parameters, command, data, code, packages, files. Pure, and from recorded facts
 * alone, so it works offline. The text of the code's change is in `code-diff.ts`.
 */
import type { Digest } from '../../core/digest.ts'
import type { MlopsError } from '../../core/errors.ts'
import { changesAreRecorded } from '../../core/recorded-changes.ts'
import type { ModelState } from '../../store/fold.ts'
import type { DataFact } from '../../store/manifest.ts'
import type { GitFacts } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'
import { type ContractDiff, type ContractSettings, diffContracts, readContract, UNKNOWN_CONTRACT } from './contract.ts'
import { type Measured, type MetricChange, metricChanges, type TestSets, testSetsOf } from './metric-diff.ts'
import { changes, type ValueChange, type Values } from './value-diff.ts'
import type { RunDetail, VersionDetail } from './version.ts'

/**
 * The command line behind a version and what it ran in: the cause of a difference that parameters and data do not show.
 */
export interface CommandChange {
  /** `unknown` when a version comes from no run. */
  readonly verdict: 'same' | 'changed' | 'unknown'
  readonly from: readonly string[] | null
  readonly to: readonly string[] | null
  /** The seed, the folder, the recorded variables of the environment that differ. */
  readonly environment: readonly ValueChange[]
}

export interface DataChange {
  readonly name: string
  readonly from: DataSide | null
  readonly to: DataSide | null
}

export interface DataSide {
  readonly sha256: Digest
  readonly rows: number | null
  /** `rows`: a digest of rows, and of no file (`DataFact`). */
  readonly of?: 'rows'
}

export interface CodeState {
  readonly commit: string | null
  readonly branch: string | null
  readonly dirty: boolean
  /** Digest of the uncommitted changes. */
  readonly patch: Digest | null
}

export interface CodeChange {
  /** `unknown` when a version comes from no run, or the run from no git repository. */
  readonly verdict: 'same' | 'changed' | 'unknown'
  readonly from: CodeState | null
  readonly to: CodeState | null
}

export interface PackageChanges {
  readonly verdict: 'same' | 'changed' | 'unknown'
  readonly python: { readonly from: string | null; readonly to: string | null }
  readonly changes: readonly ValueChange[]
  /** Why nothing can be said. */
  readonly note?: string
}

export interface FileChange {
  readonly path: string
  readonly kind: 'added' | 'removed' | 'changed'
  readonly from: { readonly sha256: Digest; readonly size: number } | null
  readonly to: { readonly sha256: Digest; readonly size: number } | null
}

export interface Side {
  readonly model: string
  readonly version: number
  readonly manifest: Digest
}

export interface VersionDiff {
  readonly from: Side
  readonly to: Side
  /** The same manifest: the same files, metrics, parameters and baseline. */
  readonly identical: boolean
  /** Were both measured on the same rows? `unknown` when one records no test set. */
  readonly testSets: TestSets
  readonly metrics: readonly MetricChange[]
  readonly params: readonly ValueChange[]
  readonly command: CommandChange
  readonly data: readonly DataChange[]
  readonly code: CodeChange
  readonly packages: PackageChanges
  readonly files: readonly FileChange[]
  /** What callers of the first meet in the second, as far as examples and baselines tell. */
  readonly contract: ContractDiff
}

/** The package lock of a version, or why there is none. */
export type Lock = { readonly text: string } | { readonly missing: string }

export function diffVersions(
  from: VersionDetail,
  to: VersionDetail,
  locks: { readonly from: Lock; readonly to: Lock },
  measured: Measured = {},
  contract: ContractDiff = UNKNOWN_CONTRACT,
): VersionDiff {
  const testSets = testSetsOf(from, to)
  return {
    from: side(from),
    to: side(to),
    identical: from.manifest === to.manifest,
    testSets,
    metrics: metricChanges(from.metrics, to.metrics, testSets, measured),
    params: changes(from.params, to.params),
    command: commandChange(from.run, to.run),
    data: dataChanges(from, to),
    code: codeChange(from.code, to.code),
    packages: packageChanges(from, to, locks),
    files: fileChanges(from, to),
    contract,
  }
}

/** The lock's text, from the objects. A damaged lock is reported in its place, not thrown. */
export async function loadLock(store: Store, version: VersionDetail): Promise<Lock> {
  const digest = version.python?.lock?.sha256
  if (digest === undefined) return { missing: `${version.model}@${version.version} records no package lock` }
  try {
    return { text: (await store.objects.read(digest)).toString('utf8') }
  } catch (error) {
    return { missing: (error as MlopsError).message }
  }
}

/** What callers of one version meet in another, from the examples and baselines of both. */
export async function loadContracts(
  store: Store,
  state: Pick<ModelState, 'baseline'>,
  from: VersionDetail,
  to: VersionDetail,
  settings: ContractSettings,
): Promise<ContractDiff> {
  const read = async ({ manifest }: VersionDetail) =>
    readContract(store, await store.models.manifest(manifest), state.baseline, settings)
  const [before, after] = await Promise.all([read(from), read(to)])
  return diffContracts(before, after)
}

const side = ({ model, version, manifest }: VersionDetail): Side => ({ model, version, manifest })

/** Variables that name the CI job: two jobs always differ in them, and nothing follows from it. */
const JOB_IDENTITY = /^(?:CI|CI_.*|GITHUB_.*)$/

/** Facts of a command's surroundings, by the names a person knows them by. */
function commandChange(from: RunDetail | null, to: RunDetail | null): CommandChange {
  const [before, after] = [from?.command ?? null, to?.command ?? null]
  if (from === null || to === null) return { verdict: 'unknown', from: before, to: after, environment: [] }
  const environment = changes(surroundings(from), surroundings(to))
  const same = JSON.stringify(before) === JSON.stringify(after) && environment.length === 0
  return { verdict: same ? 'same' : 'changed', from: before, to: after, environment }
}

const surroundings = ({ seed, cwd, env }: RunDetail): Values => ({
  ...Object.fromEntries(
    Object.entries(env)
      .filter(([name]) => !JOB_IDENTITY.test(name))
      .map(([name, value]) => [`$${name}`, value]),
  ),
  folder: cwd,
  ...(seed === null ? {} : { seed: String(seed) }),
})

function dataChanges(from: VersionDetail, to: VersionDetail): DataChange[] {
  const facts = (version: VersionDetail) => {
    const all =
      version.baseline === null ? version.data : [...version.data, { ...version.baseline.data, name: 'baseline' }]
    const side = ({ sha256, rows, of }: DataFact): DataSide => ({
      sha256,
      rows: rows ?? null,
      ...(of === undefined ? {} : { of }),
    })
    return new Map(all.map((fact) => [fact.name, side(fact)]))
  }
  const [before, after] = [facts(from), facts(to)]
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((name) => ({ name, from: before.get(name) ?? null, to: after.get(name) ?? null }))
    .filter((change) => change.from?.sha256 !== change.to?.sha256)
}

function codeChange(from: GitFacts | null, to: GitFacts | null): CodeChange {
  const [before, after] = [codeState(from), codeState(to)]
  if (before === null || after === null || before.commit === null || after.commit === null) {
    return { verdict: 'unknown', from: before, to: after }
  }
  // Dirty without a recorded patch: the commit alone does not say what ran.
  const unsure = (git: GitFacts | null): boolean => git !== null && !changesAreRecorded(git)
  const same = before.commit === after.commit && before.patch === after.patch
  const verdict = same ? (unsure(from) || unsure(to) ? 'unknown' : 'same') : 'changed'
  return { verdict, from: before, to: after }
}

const codeState = (git: GitFacts | null): CodeState | null =>
  git === null ? null : { commit: git.commit, branch: git.branch, dirty: git.dirty, patch: git.patch?.sha256 ?? null }

function packageChanges(
  from: VersionDetail,
  to: VersionDetail,
  locks: { readonly from: Lock; readonly to: Lock },
): PackageChanges {
  const python = { from: from.python?.version ?? null, to: to.python?.version ?? null }
  const notes = [locks.from, locks.to].flatMap((lock) => ('missing' in lock ? [lock.missing] : []))
  if ('missing' in locks.from || 'missing' in locks.to) {
    return { verdict: 'unknown', python, changes: [], note: [...new Set(notes)].join('; ') }
  }
  const found = changes(parseLock(locks.from.text), parseLock(locks.to.text))
  return { verdict: found.length === 0 && python.from === python.to ? 'same' : 'changed', python, changes: found }
}

/** `name==version` per line; a line in any other form (an editable install) counts as a name with its rest. */
function parseLock(text: string): Values {
  const lines = text.split('\n').map((line) => line.trim())
  return Object.fromEntries(
    lines
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const at = line.indexOf('==')
        return at < 0 ? [line, 'present'] : [line.slice(0, at).toLowerCase(), line.slice(at + 2)]
      }),
  )
}

function fileChanges(from: VersionDetail, to: VersionDetail): FileChange[] {
  const facts = (version: VersionDetail) =>
    new Map(version.files.map(({ path, sha256, size }) => [path, { sha256, size }]))
  const [before, after] = [facts(from), facts(to)]
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((path): FileChange[] => {
    const [a, b] = [before.get(path) ?? null, after.get(path) ?? null]
    if (a?.sha256 === b?.sha256) return []
    return [{ path, kind: a === null ? 'added' : b === null ? 'removed' : 'changed', from: a, to: b }]
  })
}
