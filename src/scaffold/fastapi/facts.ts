/** The shapes of what a service is made from: service.json is `ServiceFacts` (docs/scaffold.md). */
import type { Digest } from '../../core/digest.ts'
import type { OutputKind } from '../../drift/answers.ts'
import type { FeatureType, Plain } from '../../drift/columns.ts'

export type { OutputKind } from '../../drift/answers.ts'
export type { FeatureType, Plain } from '../../drift/columns.ts'

export const FLAVOURS = ['sklearn', 'xgboost', 'lightgbm', 'torch', 'onnx', 'callable'] as const
export type Flavour = (typeof FLAVOURS)[number]

/** One column of a request. */
export interface Feature {
  readonly name: string
  /** The name of it in Python; `name` itself wherever that is an identifier. */
  readonly field: string
  readonly type: FeatureType
  readonly nullable: boolean
  /** Every value of the training data, sorted; null for what is no category, or for too many. Documentation. */
  readonly categories: readonly Plain[] | null
  /** Smallest and largest value of the training data. Documentation. */
  readonly range: readonly [number, number] | null
  /** Values outside of categories or range are refused. */
  readonly refuse: boolean
}

export interface Output {
  readonly name: string
  readonly kind: OutputKind
  /** The positive one of two last; null when not recorded. */
  readonly classes: readonly Plain[] | null
}

/** What a service takes and gives: the same for every version that may answer in it. */
export interface Signature {
  readonly features: readonly Feature[]
  readonly output: Output
  /** What a person should know: columns that were left out, what was guessed. */
  readonly notes: readonly string[]
}

export type Example = { readonly features: Readonly<Record<string, Plain>>; readonly output: unknown }

export interface ServiceFacts {
  readonly format: 1
  readonly model: string
  readonly stage: string
  readonly scaffolded: { readonly version: number; readonly manifest: Digest; readonly tool: string }
  readonly flavour: Flavour
  readonly artifact: string
  /** `3.11`, of the training run; null when it was not recorded. */
  readonly python: string | null
  readonly features: readonly Feature[]
  readonly output: Output
  readonly example: Example | null
  /** Columns that are never logged. */
  readonly drop: readonly string[]
  readonly personal: readonly string[]
  /** sha256 of the canonical `{"features": [{name, type}…], "output": {kind, classes}}`, features sorted by name. */
  readonly contract: Digest
}
