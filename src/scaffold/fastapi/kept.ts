/** Whether a version brings anything that the service of an earlier one does not say already. Pure. */
import { canonicalJson, type Json } from '../../core/canonical-json.ts'
import type { Feature, ServiceFacts } from './facts.ts'

/**
 * The facts of last time, where the new ones differ in nothing but what every training moves: which version it was, its
 * example, and the ranges of numbers, which are documentation. So a retrained version puts no file out of date.
 *
 * @param before service.json as it was generated last
 */
export function keptFacts(now: ServiceFacts, before: string | undefined): ServiceFacts {
  if (before === undefined) return now
  try {
    const last = JSON.parse(before) as ServiceFacts
    return lasting(last) === lasting(now) ? last : now
  } catch {
    return now
  }
}

function lasting({ scaffolded: _version, example, features, ...facts }: ServiceFacts): string {
  const columns = features.map(({ range, ...feature }: Feature) => ({
    ...feature,
    // One that is refused by is no documentation.
    range: feature.refuse ? range : range !== null,
  }))
  return canonicalJson({ ...facts, features: columns, example: example !== null } as unknown as Json)
}
