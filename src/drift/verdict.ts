/**
 * From effect and evidence to a verdict, on a column and on a check (DESIGN section 7). Pure rules, no formulas.
 */
import { chiSquareQuantile } from './special.ts'
import type { CheckVerdict, ColumnResult, ColumnVerdict } from './types.ts'

/** Adjusted p-values up to this are evidence. */
const ALPHA = 0.05

export interface Facts {
  readonly effect: number
  readonly threshold: number
  readonly noise: number
  readonly noisePower: 1 | 0.5
  readonly pAdjusted: number
  /** Rows of the baseline and of the batch. */
  readonly n: number
  readonly m: number
  /** Degrees of freedom of the evidence, and how many columns were tested. */
  readonly df: number
  readonly columns: number
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
  const isReal = pAdjusted <= ALPHA
  if (effect >= threshold && isReal) return { verdict: 'drift' }
  if (noise >= threshold) return { verdict: 'inconclusive', ...rowsNeeded(facts, noise) }
  if (effect >= threshold) {
    // As many rows as put the bound below the threshold at the stricter level of the worst of all columns.
    const strict = chiSquareQuantile(ALPHA / facts.columns, Math.max(1, facts.df))
    const factor = (strict / chiSquareQuantile(ALPHA, Math.max(1, facts.df))) ** facts.noisePower
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

const SEVERITY: readonly ColumnVerdict[] = ['broken', 'drift', 'inconclusive', 'negligible', 'stable', 'skipped']

/** The prediction column first, then worst first: by verdict, then by effect in units of its threshold. */
export function worstFirst(a: ColumnResult, b: ColumnResult): number {
  const rank = (result: ColumnResult) => Number(result.role !== 'prediction')
  const size = (result: ColumnResult) => (result.effect ?? Number.MAX_VALUE) / result.threshold
  return (
    rank(a) - rank(b) ||
    SEVERITY.indexOf(a.verdict) - SEVERITY.indexOf(b.verdict) ||
    size(b) - size(a) ||
    (a.column < b.column ? -1 : 1)
  )
}
