/** The one JSON envelope of every `--json` result and error (docs/architecture.md). Additive changes only: scripts read it. */

export const SCHEMA_VERSION = 1

export interface EnvelopeError {
  readonly code: string
  readonly message: string
  readonly hint: string | null
  readonly details: unknown
}

export type Envelope =
  | {
      readonly schemaVersion: typeof SCHEMA_VERSION
      readonly command: string
      readonly status: 'ok'
      readonly data: unknown
      readonly warnings: readonly string[]
    }
  | {
      readonly schemaVersion: typeof SCHEMA_VERSION
      readonly command: string
      readonly status: 'error'
      readonly error: EnvelopeError
      readonly warnings: readonly string[]
    }

/** `data` of `--help`, `mlops help` and of a topic alone, under `--json`. */
export interface HelpResult {
  /** `model list`; '' for the first page. */
  readonly topic: string
  /** As a person reads it. */
  readonly text: string
  /** The command, those of the topic, or all. */
  readonly commands: readonly { readonly command: string; readonly summary: string }[]
}

/** `data` of `--version --json`. */
export interface VersionResult {
  readonly version: string
}

/** JSON text in which numbers that JSON cannot hold are strings: `"NaN"`, `"Infinity"`, `"9007199254740993"`. */
export function toJson(value: unknown, indent: boolean): string {
  return JSON.stringify(value, (_key, each) => jsonValue(each), indent ? 2 : undefined)
}

function jsonValue(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  if (typeof value === 'bigint') return value.toString()
  return value
}
