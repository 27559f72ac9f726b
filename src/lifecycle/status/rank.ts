/**
 * How badly a model needs somebody, from how its version in production fares. Worst first: nobody serves it (what runs
 * serves nothing) · a service serves another version than production · the log is damaged ·
 * predictions are logged and nobody ever checked them · drift in production · the service or its quality is not as it
 * should be · checks have stopped · production never checked · last check inconclusive · last check too old · nothing in
 * production · stable. Pure.
 */
import type { Health } from './health.ts'

export const RANKS = [
  'served by nobody',
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
 * @param served what ails its services, by their own word: none answers, or one answers with another version
 */
export function rankOf(
  health: Health | null,
  served: 'served by nobody' | 'serves another version' | null = null,
): Rank {
  if (served !== null) return served
  if (health === null) return 'not in production'
  if (health.verdict === 'never checked') return health.logged === null ? 'never checked' : 'logged, never checked'
  if (health.verdict === 'drift') return 'drift'
  if (health.breaches.length > 0) return 'unhealthy'
  if (health.overdue) return 'checks stopped'
  if (health.stale) return 'check too old'
  return health.verdict
}
