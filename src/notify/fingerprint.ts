/** What makes two alerts the same trouble. Nothing else belongs here. */
import { canonicalJson } from '../core/canonical-json.ts'
import { type Digest, sha256 } from '../core/digest.ts'
import type { AlertKind } from './types.ts'

/** The same trouble of the same model in the same stage, however often it is seen. */
export const fingerprintOf = (model: string, stage: string | null, kind: AlertKind): Digest =>
  sha256(canonicalJson({ model, stage, kind }))
