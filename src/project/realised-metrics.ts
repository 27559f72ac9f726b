/**
 * The metrics that joined labels can give (`src/predictions/quality.ts`): what a policy's trigger of type metric may name.
 */
import { knownName } from '../core/metric-names.ts'

export const REALISED_METRICS: readonly string[] = [
  'accuracy',
  'precision',
  'recall',
  'f1',
  'auc',
  'log_loss',
  'precision_macro',
  'recall_macro',
  'f1_macro',
  'mae',
  'rmse',
  'r2',
]

/** @returns the name that realised metrics have, or undefined for one that labels do not give */
export function realisedMetric(name: string): string | undefined {
  const known = knownName(name)
  return REALISED_METRICS.includes(known) ? known : undefined
}
