/** What `mlops trace` tells: from one logged prediction back to the data and the people. Shapes alone. */
import type { Actor } from '../../core/context.ts'
import type { Digest } from '../../core/digest.ts'
import type { Manifest } from '../../store/manifest.ts'
import type { DvcEntry, GitFacts, PythonFacts } from '../../store/run-records.ts'
import type { RunDetail } from '../versions/version.ts'

/** Numbers are finite; anything nested is its JSON as text. */
export type Value = string | number | boolean | null

/** One time that the prediction was logged. */
export interface LoggedPrediction {
  readonly id: string
  /** RFC 3339, UTC: when it was answered. */
  readonly time: string
  /** 0: the service did not know. */
  readonly version: number
  readonly variant: string | null
  readonly features: Readonly<Record<string, Value>> | null
  /** A bare answer, or one with members; null for a failed request. */
  readonly output: Value | Readonly<Record<string, Value>>
  /** Milliseconds. */
  readonly latency: number | null
  readonly status: string
  readonly error: string | null
  readonly user: string | null
  readonly segment: string | null
  readonly tokens: number | null
  readonly cost: number | null
  readonly tags: Readonly<Record<string, Value>> | null
  readonly sampleRate: number | null
  /** Columns that are not shown: `predictions.drop` of mlops.yaml names them, or their name is that of a secret. */
  readonly hidden: readonly string[]
  /** The file and line, or the table. */
  readonly place: string
}

/** A time during which the version held a stage, or had a part of its traffic. */
export interface Holding {
  readonly stage: string
  /** Percent of the traffic beside the version that held the stage; null: it held the stage itself. */
  readonly weight: number | null
  readonly since: string
  /** The event that began it. */
  readonly seq: number
  readonly by: Actor
  /** Null while it goes on. */
  readonly until: string | null
  readonly ended: { readonly seq: number; readonly by: Actor; readonly how: string } | null
  /** Whether the prediction was answered in this time. */
  readonly atThatTime: boolean
}

/** Somebody who did something that this answer rests on, or that followed it. */
export interface Deed {
  readonly what: 'trained' | 'registered' | 'approved' | 'promoted' | 'rolled out' | 'rolled back'
  /** In words: `in production, in place of @2`. */
  readonly detail: string | null
  readonly name: string
  /** `local`, `ci`, or how an approval reached us. */
  readonly origin: string
  readonly url: string | null
  readonly time: string | null
  readonly reason: string | null
  /** After the prediction was answered. */
  readonly after: boolean
}

/** A check whose window the prediction lies in. */
export interface TracedCheck {
  readonly key: Digest
  readonly time: string
  readonly since: string
  readonly until: string
  readonly rows: number | null
  readonly verdict: string
  readonly reference: string | null
  readonly summary: string
  /** Of the service and of the labels; null where they were not judged. */
  readonly health: string | null
  readonly quality: string | null
}

export interface TracedData {
  readonly name: string
  readonly sha256: Digest
  readonly rows: number | null
  readonly columns: number | null
  /** As it was declared; null where only the digest is known. */
  readonly path: string | null
  readonly files: number | null
  /** Its bytes are in the store. */
  readonly snapshot: boolean
  readonly dvc: DvcEntry | null
}

/** The version that answered, with everything behind it. */
export interface TracedVersion {
  readonly version: number
  readonly manifest: Digest
  readonly registered: { readonly time: string; readonly by: Actor }
  readonly tags: readonly string[]
  /** The stages that it holds now. */
  readonly stages: readonly string[]
  /** Oldest first. */
  readonly holdings: readonly Holding[]
  /** Who held which stage when the prediction was answered. */
  readonly heldThen: readonly { readonly stage: string; readonly version: number }[]
  readonly files: readonly { readonly path: string; readonly sha256: Digest; readonly size: number }[]
  readonly metrics: Manifest['metrics']
  readonly params: Manifest['params']
  /** Null for a version that was registered from files. */
  readonly run: RunDetail | null
  readonly code: GitFacts | null
  readonly python: PythonFacts | null
  readonly data: readonly TracedData[]
  /** Oldest first. */
  readonly people: readonly Deed[]
}

export interface Trace {
  readonly id: string
  readonly model: string
  /** Where the log lives, credentials removed. */
  readonly home: string
  /** The one that is traced: logged last. */
  readonly prediction: LoggedPrediction
  /** The other times that it was logged, oldest first: a retry, or an id that was given twice. */
  readonly repeats: readonly LoggedPrediction[]
  /** Lines with the id that are no records. */
  readonly rejected: readonly { readonly place: string; readonly why: string }[]
  readonly label: { readonly value: string | number | boolean; readonly time: string | null } | null
  /** Null where this store does not know it; `problems` says why. */
  readonly version: TracedVersion | null
  /** Newest first. */
  readonly checks: readonly TracedCheck[]
  readonly problems: readonly string[]
  /** What to type next. */
  readonly next: readonly { readonly command: string; readonly why: string }[]
}
