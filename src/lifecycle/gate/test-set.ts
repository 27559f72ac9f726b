/** What counts as the test set of a version, and when two versions are the same files. Pure. */
import type { Digest } from '../../core/digest.ts'
import type { DataFact, Manifest } from '../../store/manifest.ts'

const testFact = ({ data }: Pick<Manifest, 'data'>): DataFact | undefined => data.find(({ name }) => name === 'test')

/** The hash of the held-out rows that a version's metrics were measured on. */
export const testHash = (manifest: Manifest): Digest | undefined => testFact(manifest)?.sha256

/**
 * Why answers are not those of the test set, in words: more rows than it has are a comparison surer than it can be, fewer may be
 * those that are easy. Undefined where they fit, and where nobody counted the test set.
 */
export function whyOtherRows(answers: number, { data }: Pick<Manifest, 'data'>): string | undefined {
  const rows = testFact({ data })?.rows
  if (rows === undefined || rows === answers) return undefined
  const count = (number: number): string => `${number.toLocaleString('en-US')} row${number === 1 ? '' : 's'}`
  return `there are answers on ${count(answers)}, and the test set has ${count(rows)}`
}

/** What is said of a file that a user names and that is another one. */
export const otherTest = (path: string, version: number): string =>
  `${path} is not the test set that @${version} was measured on (its hash differs)`

/** True when no file is known to hold the test set: its rows were logged by the script. */
export const isTestLogged = (manifest: Manifest): boolean => testFact(manifest)?.of === 'rows'

export type TestSets = 'same' | 'different' | 'unknown'

/** What says which rows they are: manifests, and what is shown of them. */
export interface TestSetFacts {
  readonly data: readonly DataFact[]
  readonly testPredictions?: Manifest['testPredictions'] | null
}

/**
 * Were two versions measured on the same rows? The digest of a file and that of rows say nothing about each other; one
 * of the two that is equal is enough, since the same rows may lie in two files.
 */
export function testSetsOf(one: TestSetFacts, other: TestSetFacts): TestSets {
  const files = [one, other].map((facts) => (testFact(facts)?.of === 'rows' ? undefined : testFact(facts)?.sha256))
  const rows = [one, other].map(rowsOf)
  const pairs = [files, rows].filter(([before, after]) => before !== undefined && after !== undefined)
  if (pairs.length === 0) return 'unknown'
  return pairs.some(([before, after]) => before === after) ? 'same' : 'different'
}

function rowsOf(facts: TestSetFacts): Digest | undefined {
  const test = testFact(facts)
  return test?.of === 'rows' ? test.sha256 : facts.testPredictions?.rowsDigest
}

/** By content: registering the champion's file again with its test set is how an unproven champion becomes proven. */
export function sameFiles(one: Manifest, other: Manifest): boolean {
  const digests = (manifest: Manifest): string =>
    manifest.files
      .map(({ sha256 }) => sha256)
      .sort()
      .join()
  return one.files.length > 0 && digests(one) === digests(other)
}
