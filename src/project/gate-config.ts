/** A gate as configured, shared by `mlops.yaml` (per stage) and the policy file (`validation`). */
export interface Gate {
  /** `min_auc: 0.82` as {auc: 0.82}. */
  readonly min: Readonly<Record<string, number>>
  /** `max_log_loss: 0.5` as {log_loss: 0.5}. */
  readonly max: Readonly<Record<string, number>>
  /** The stage whose version must not be better. */
  readonly compareTo?: string
  /** How many people must approve; 0 when none is asked for here. */
  readonly approval: number
  readonly baseline: 'required' | 'optional'
  readonly run: 'required' | 'optional'
  readonly dataHash: 'required' | 'optional'
}
