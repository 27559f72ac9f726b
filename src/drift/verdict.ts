/**
 * From effect and evidence to a verdict, on a column and on a check (docs/drift-statistics.md). Pure rules, no formulas.
 */
import { chiSquareQuantile } from '../core/special.ts'
import type { CheckVerdict, ColumnResult, ColumnVerdict } from './types.ts'

/**
 * How often a check without any drift may find evidence of some: 5 in 100, of which the columns of the whole batch have
 * four and the segments (`--by`) one, so that looking at segments too cannot lift the sum. Adjusted p-values up to it
 * are evidence.
 */
export const COLUMN_ALPHA = 0.04
export const SEGMENT_ALPHA = 0.01
/** The noise bounds of the measures are those of 95 in 100. */
const NOISE_TAIL = 0.05

export interface Facts {
  readonly effect: number
  readonly threshold: number
  readonly noise: number
  readonly noisePower: 1 | 0.5
  readonly pAdjusted: number
  /** Rows of the baseline and of the batch. */
  readonly n: number
  readonly m: number
  /** Degrees of freedom of the evidence. */
  readonly df: number
  /** Adjusted p-values up to this are evidence; how many were tested together. */
  readonly alpha: number
  readonly tests: number
}

export interface Judged {
  readonly verdict: ColumnVerdict
  readonly rowsNeeded?: number
  readonly reason?: string
}

/**
 * `drift`: the effect reaches the threshold and the difference is beyond noise. Otherwise `inconclusive` while noise
 * alone could reach the threshold, or while an effect at the threshold lacks evidence; `negligible` when the
 * difference is real but below the threshold; `stable`.
 */
export function judgeColumn(facts: Facts): Judged {
  const { effect, threshold, noise, pAdjusted } = facts
  const isReal = pAdjusted <= facts.alpha
  if (effect >= threshold && isReal) return { verdict: 'drift' }
  if (noise >= threshold) return { verdict: 'inconclusive', ...rowsNeeded(facts, noise) }
  if (effect >= threshold) {
    // As many rows as put the bound below the threshold at the stricter level of the worst of all columns.
    const strict = chiSquareQuantile(facts.alpha / facts.tests, Math.max(1, facts.df))
    const factor = (strict / chiSquareQuantile(NOISE_TAIL, Math.max(1, facts.df))) ** facts.noisePower
    return { verdict: 'inconclusive', ...rowsNeeded(facts, noise * factor) }
  }
  return { verdict: isReal ? 'negligible' : 'stable' }
}

/** How many rows the batch needs for the bound to fall below the threshold, or why no number would do. */
function rowsNeeded(
  facts: Pick<Facts, 'n' | 'm' | 'threshold' | 'noisePower'>,
  noise: number,
): { rowsNeeded?: number; reason: string } {
  const { n, m, threshold, noisePower } = facts
  const allowed = (1 / n + 1 / m) * (threshold / noise) ** (1 / noisePower) - 1 / n
  if (allowed > 0) {
    const rows = Math.max(m + 1, Math.floor(1 / allowed) + 1)
    return {
      rowsNeeded: rows,
      reason: `needs about ${rows.toLocaleString('en-US')} rows, has ${m.toLocaleString('en-US')}`,
    }
  }
  return { reason: `the baseline's ${n.toLocaleString('en-US')} rows are too few for a threshold of ${threshold}` }
}

export function judgeCheck(columns: readonly ColumnResult[], rows: number): CheckVerdict {
  const compared = columns.filter(({ verdict }) => verdict !== 'skipped')
  if (compared.some(({ verdict }) => verdict === 'drift' || verdict === 'broken')) return 'drift'
  const open = compared.filter(({ verdict }) => verdict === 'inconclusive')
  const isBlind = rows === 0 || compared.length === 0 || open.length > compared.length / 2
  return isBlind || open.some(({ role }) => role === 'prediction') ? 'inconclusive' : 'stable'
}
