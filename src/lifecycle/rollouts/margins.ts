/** The margins of a rollout as something that a word can be bound to. What they mean is decided in `src/rollout/`. */
import { canonicalJson } from '../../core/canonical-json.ts'
import { type Digest, sha256 } from '../../core/digest.ts'
import type { RolloutConfig } from '../../project/config.ts'
import type { ModelState } from '../../store/fold.ts'
import { type RunningRollout, startOf } from './running.ts'

/** Of what `models.NAME.rollout` of mlops.yaml comes to, defaults included. */
export const marginsDigest = (margins: RolloutConfig): Digest => sha256(canonicalJson(margins))

/** Are the margins others than those it began with? A start that an older program wrote does not say: no. */
export function marginsChanged(state: ModelState, running: RunningRollout, margins: RolloutConfig): boolean {
  const begun = startOf(state, running)?.body.margins
  return begun !== undefined && begun !== marginsDigest(margins)
}
