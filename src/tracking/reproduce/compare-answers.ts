/**
 * What two runs logged of single rows (`log_test`, `log_examples`), row by row: the answers of two models on the same
 * inputs, without loading either. Reads only.
 */
import { canonicalJson } from '../../core/canonical-json.ts'
import type { RunEvidence } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'
import type { Answers } from './compare-runs.ts'
import { compareNumbers, type RowVerdict } from './compare-values.ts'

/** More are not read: a proof of equality needs no more. Bytes. */
const MOST_BYTES = 256 << 20

export async function compareAnswers(store: Store, a: string, b: string, tolerance: number): Promise<Answers[]> {
  const [before, after] = await Promise.all([store.runs.evidence(a), store.runs.evidence(b)])
  const found: Answers[] = []
  for (const kind of ['test', 'examples'] as const) {
    const [one, other] = [lastOf(before, kind), lastOf(after, kind)]
    const name = kind === 'test' ? 'log_test' : 'log_examples'
    if (one === undefined && other === undefined) continue
    if (one === undefined || other === undefined) {
      const note = one === undefined ? 'only in the reproduction' : 'only in the original'
      found.push({ name, verdict: 'missing', rows: 0, note })
      continue
    }
    const compared = await compareEvidence(store, one, other, tolerance)
    const note = `${compared.note}${onlyLast(countOf(before, kind), countOf(after, kind))}`
    found.push({ name, rows: one.rows, verdict: compared.verdict, note })
  }
  return found
}

const countOf = (evidence: readonly RunEvidence[], kind: RunEvidence['kind']): number =>
  evidence.filter((each) => each.kind === kind).length

/** The last is what a gate judges, and the earlier ones may be of another model. */
function onlyLast(before: number, after: number): string {
  if (before < 2 && after < 2) return ''
  const times = before === after ? `${before} times` : `${before} times, then ${after}`
  return `; logged ${times}, only the last is compared`
}

const lastOf = (evidence: readonly RunEvidence[], kind: RunEvidence['kind']): RunEvidence | undefined =>
  evidence.findLast((each) => each.kind === kind)

async function compareEvidence(
  store: Store,
  a: RunEvidence,
  b: RunEvidence,
  tolerance: number,
): Promise<{ readonly verdict: RowVerdict; readonly note: string }> {
  if (a.kind === 'test' && a.columns === 0) return { verdict: 'not compared', note: 'the answers were not logged' }
  if (a.data.sha256 === b.data.sha256) return { verdict: 'equal', note: `${a.rows} rows` }
  if (a.data.size > MOST_BYTES) return { verdict: 'different', note: `${a.rows} rows, other bytes` }
  const [one, other] = await Promise.all([rowsOf(store, a), rowsOf(store, b)])
  return compareRows(one, other, tolerance)
}

async function rowsOf(store: Store, { data }: RunEvidence): Promise<unknown[]> {
  return parseLines(await store.objects.read(data.sha256))
}

/** JSON lines. */
export const parseLines = (bytes: Buffer): unknown[] =>
  bytes
    .toString('utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return line.trim() === '' ? [] : [JSON.parse(line) as unknown]
      } catch {
        return []
      }
    })

/**
 * Rows of examples belong together by their features, others by their place. Each row answers for one: of several with the
 * same features the equal ones are taken first, then the nearest.
 */
export function compareRows(
  a: readonly unknown[],
  b: readonly unknown[],
  tolerance: number,
): { readonly verdict: RowVerdict; readonly note: string } {
  if (a.length !== b.length) return { verdict: 'different', note: `${a.length} rows, then ${b.length}` }
  const [before, after] = [byFeatures(a), byFeatures(b)]
  let [different, near] = [0, 0]
  for (const [key, rows] of before) {
    const counts = matchRows(rows, after.get(key) ?? [], tolerance)
    different += counts.different
    near += counts.near
  }
  if (different > 0) return { verdict: 'different', note: `${different} of ${a.length} rows differ` }
  return near > 0
    ? { verdict: 'within tolerance', note: `${near} of ${a.length} rows within tolerance` }
    : { verdict: 'equal', note: `${a.length} rows` }
}

function byFeatures(rows: readonly unknown[]): Map<string, unknown[]> {
  const groups = new Map<string, unknown[]>()
  for (const [at, row] of rows.entries()) {
    const key = keyOf(row, at)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [row])
    else group.push(row)
  }
  return groups
}

/** Rows with the same features for which every pairing is tried. */
const MOST_SEARCHED = 2_000

/** How many of `a` find no row of `b` of their own, and how many only one near enough. */
function matchRows(
  a: readonly unknown[],
  b: readonly unknown[],
  tolerance: number,
): { different: number; near: number } {
  const free = new Map<string, unknown[]>()
  for (const row of b) {
    const text = canonicalJson(row)
    const same = free.get(text)
    if (same === undefined) free.set(text, [row])
    else same.push(row)
  }
  const left = a.filter((row) => free.get(canonicalJson(row))?.pop() === undefined)
  // In the order of their answers: for single numbers no other pairing brings more of them together.
  const others = [...free.values()].flat().sort(byAnswer)
  let near = 0
  let different = 0
  for (const row of left.sort(byAnswer)) {
    // Of very many rows with the same features all are in order already.
    const among = left.length > MOST_SEARCHED ? others.slice(0, 1) : others
    const at = among.findIndex((other) => compareValue(row, other, tolerance) !== 'different')
    if (at < 0) {
      different++
      if (left.length > MOST_SEARCHED) others.shift()
    } else {
      if (compareValue(row, others[at], tolerance) === 'within tolerance') near++
      others.splice(at, 1)
    }
  }
  return { different, near }
}

function byAnswer(a: unknown, b: unknown): number {
  const [one, other] = [answerOf(a), answerOf(b)]
  if (typeof one === 'number' && typeof other === 'number') return one - other
  return canonicalJson(one ?? null) < canonicalJson(other ?? null) ? -1 : 1
}

const answerOf = (row: unknown): unknown => (row as { output?: unknown } | null)?.output

function keyOf(row: unknown, at: number): string {
  const features = (row as { features?: unknown } | null)?.features
  return features === undefined ? `row ${at}` : canonicalJson(features)
}

function compareValue(a: unknown, b: unknown, tolerance: number): 'equal' | 'within tolerance' | 'different' {
  if (isScalar(a) && isScalar(b)) {
    const verdict = compareNumbers(a, b, tolerance)
    return verdict === 'equal' || verdict === 'within tolerance' ? verdict : 'different'
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b ? 'equal' : 'different'
  const [one, other] = [Object.entries(a), b as Record<string, unknown>]
  if (one.length !== Object.keys(other).length) return 'different'
  let worst: 'equal' | 'within tolerance' = 'equal'
  for (const [key, value] of one) {
    const verdict = Object.hasOwn(other, key) ? compareValue(value, other[key], tolerance) : 'different'
    if (verdict === 'different') return verdict
    if (verdict === 'within tolerance') worst = verdict
  }
  return worst
}

const isScalar = (value: unknown): value is number | string => typeof value === 'number' || typeof value === 'string'
