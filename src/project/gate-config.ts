/** A gate as configured, shared by `mlops.yaml` (per stage) and the policy file (`validation`). */

/** How much worse than the champion a metric may be: in its own unit, or a share of the champion's value. */
export type Margin =
  | { readonly kind: 'absolute'; readonly value: number }
  /** `2%` is 0.02. */
  | { readonly kind: 'relative'; readonly value: number }

/** The key of a margin that is for every metric without one of its own. */
export const ANY_METRIC = '*'

/** Bounds that must hold for every value of a column of the held-out rows. */
export interface SliceRule {
  readonly by: string
  readonly min: Readonly<Record<string, number>>
  readonly max: Readonly<Record<string, number>>
  /** Groups with fewer rows are inconclusive; undefined: any group counts. */
  readonly minRows?: number
}

/** A difference between groups that must not be larger. There is no default: what is fair is for people to say. */
export interface FairnessRule {
  readonly by: string
  readonly measure: 'demographic_parity' | 'equalized_odds'
  /** 0 to 1. */
  readonly max: number
  readonly minRows?: number
}

/** A check made outside of this program. */
export type ExternalRule =
  /** Passes with exit code 0. `{model}` becomes the files of the version. */
  | {
      readonly name: string
      readonly command: string
      /** Milliseconds; undefined: ten minutes. */
      readonly timeout?: number
    }
  /** A JUnit file: passes when it holds at least one test and none failed. Relative to the project. */
  | { readonly name: string; readonly junit: string }

/** Lets one failing check pass until a day, in somebody's name. */
export interface Waiver {
  /** The check by its name in the gate's table: `min_auc`, `compare_to`, `slice region` … */
  readonly check: string
  readonly owner: string
  readonly reason: string
  /** `2026-12-31`: the last day (UTC) on which it holds. */
  readonly expires: string
}

export interface Gate {
  /** `min_auc: 0.82` as {auc: 0.82}. */
  readonly min: Readonly<Record<string, number>>
  /** `max_log_loss: 0.5` as {log_loss: 0.5}. */
  readonly max: Readonly<Record<string, number>>
  /** The stage whose version must not be better. */
  readonly compareTo?: string
  /** By metric; the key `*` is for all the others. Empty: ties pass, anything worse does not. */
  readonly margin: Readonly<Record<string, Margin>>
  /** How many people must approve; 0 when none is asked for here. */
  readonly approval: number
  /** Whether those who trained or registered the version may approve it. */
  readonly selfApproval: 'allowed' | 'refused'
  readonly baseline: 'required' | 'optional'
  readonly run: 'required' | 'optional'
  readonly dataHash: 'required' | 'optional'
  /** The last drift check of the version must exist and have found nothing. */
  readonly health: 'required' | 'optional'
  /** What the model files may hold; undefined: what the model's risk says. */
  readonly scan?: 'no code' | 'inert'
  /** Inputs and answers must be those that callers of the version in the stage know. */
  readonly contract?: 'compatible'
  /** Largest share of held-out rows that may stand in the training data, 0 to 1. */
  readonly overlap?: number
  readonly slices: readonly SliceRule[]
  readonly fairness: readonly FairnessRule[]
  readonly external: readonly ExternalRule[]
  readonly waivers: readonly Waiver[]
}

/** A gate that asks for nothing. */
export const NO_GATE: Gate = {
  min: {},
  max: {},
  margin: {},
  approval: 0,
  selfApproval: 'allowed',
  baseline: 'optional',
  run: 'optional',
  dataHash: 'optional',
  health: 'optional',
  slices: [],
  fairness: [],
  external: [],
  waivers: [],
}
