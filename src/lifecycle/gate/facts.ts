/**
 * What a gate may know, as plain types. Collecting it is in `collect.ts`; what follows from it in `gate.ts` and the files
 * that it names. A fact that is absent was not looked at (`status` runs nothing): never taken for good news.
 */
import type { Digest } from '../../core/digest.ts'
import type { FairnessResult, HeldOut, PairedComparison, SliceResult } from '../../evaluation/types.ts'
import type { Approval, GateCheck, RunPin } from '../../store/events.ts'
import type { Manifest } from '../../store/manifest.ts'
import type { Health } from '../status/health.ts'
import type { ContractDiff } from '../versions/contract.ts'

/** What a gate may know of a version. */
export interface VersionFacts {
  readonly model: string
  readonly version: number
  /** Digest of the manifest. */
  readonly digest: Digest
  readonly manifest: Manifest
  readonly run: RunPin | undefined
  /** The run was in another store: no path that it recorded is opened here. Absent: no. */
  readonly isImported?: boolean
}

/** A version measured anew on given rows, or why that could not be done. */
export type Rescore =
  | {
      readonly kind: 'measured'
      readonly metrics: Manifest['metrics']
      /** Its answers, where the command wrote `{predictions}`. */
      readonly heldOut?: HeldOut
      /** Why the file that the command wrote says nothing. */
      readonly unreadable?: string
      /** The challenger by the same command, where that is not the champion's own: whoever is measured brings no ruler. */
      readonly challenger?: {
        readonly command: string
        readonly metrics: Manifest['metrics']
        readonly heldOut?: HeldOut
      }
    }
  | { readonly kind: 'impossible'; readonly reason: string }

/** Something computed from rows, or why the rows do not allow it. */
export type FromRows<T> = T | { readonly reason: string }

export const isReason = <T>(found: FromRows<T>): found is { readonly reason: string } =>
  typeof found === 'object' && found !== null && 'reason' in found

/** A member that is the map's own: a column may be called `constructor`. */
export const own = <T>(map: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(map, key) ? map[key] : undefined

export interface Champion extends VersionFacts {
  readonly rescore?: Rescore
  /** By metric, on the rows of the challenger; absent where one of the two has no predictions on them. */
  readonly paired?: FromRows<Readonly<Record<string, FromRows<PairedComparison>>>>
  /** As `HeldOutFacts.slices`, of its answers on the rows of the challenger. Absent: no rule asks for groups. */
  readonly slices?: FromRows<HeldOutFacts['slices']>
}

/** The held-out predictions that the challenger recorded. Absent: none are recorded, or they were not read. */
export interface HeldOutFacts {
  readonly rows: number
  /** Computed from the predictions, under the names that the gate uses; what they do not allow is left out. */
  readonly metrics: Readonly<Record<string, number>>
  /** Why a metric that the gate uses does not follow from them, though it should (`whyNotMeasured`). */
  readonly unknown?: Readonly<Record<string, string>>
  /** What can be asked of predictions of this kind. */
  readonly known: readonly string[]
  /** By column, then in the order of the groups. */
  readonly slices: Readonly<Record<string, FromRows<readonly SliceResult[]>>>
  /** In the order of `rules.fairness`. */
  readonly fairness: readonly FromRows<FairnessResult>[]
}

/** What came of a check made outside of this program. */
export type ExternalOutcome = Pick<GateCheck, 'verdict' | 'actual' | 'note'>

export interface GateFacts {
  readonly challenger: VersionFacts
  /** By stage of `rules.compareTo`; null where no version is. */
  readonly champions: Readonly<Record<string, Champion | null>>
  /** The model has a baseline of its own (`set_baseline`), used where a version has none. */
  readonly modelBaseline: boolean
  readonly approvals: readonly Approval[]
  /** The day in UTC, `2026-12-31`: what a waiver's expiry is compared with. */
  readonly today: string
  /** What the last drift check of the challenger said. */
  readonly lastCheck?: Health
  /** Against the version in the stage; null while none is there. Absent: no rule asks for it. */
  readonly contract?: ContractDiff | null
  readonly heldOut?: FromRows<HeldOutFacts>
  /** In the order of `rules.external`. */
  readonly external?: readonly ExternalOutcome[]
}
