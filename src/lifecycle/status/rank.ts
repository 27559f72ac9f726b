/**
 * How badly a model needs somebody, from how its version in production fares. Worst first: a service serves another
 * version than production · the log is damaged ·
 * predictions are logged and nobody ever checked them · drift in production · the service or its quality is not as it
 * should be · checks have stopped · production never checked · last check inconclusive · last check too old · nothing in
 * production · stable. Pure.
 */
import type { Health } from './health.ts'

export const RANKS = [
  'serves another version',
  'damaged',
  'logged, never checked',
  'drift',
  'unhealthy',
  'checks stopped',
  'never checked',
  'inconclusive',
  'check too old',
  'not in production',
  'stable',
] as const
export type Rank = (typeof RANKS)[number]

/**
 * @param health of the version in production; null while none is
 * @param misserved a running service serves another version than that
 */
export function rankOf(health: Health | null, misserved = false): Rank {
  if (misserved) return 'serves another version'
  if (health === null) return 'not in production'
  if (health.verdict === 'never checked') return health.logged === null ? 'never checked' : 'logged, never checked'
  if (health.verdict === 'drift') return 'drift'
  if (health.breaches.length > 0) return 'unhealthy'
  if (health.overdue) return 'checks stopped'
  if (health.stale) return 'check too old'
  return health.verdict
}
