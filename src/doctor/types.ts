/** What the doctor finds: plain types. */
import type { Gap } from '../lifecycle/status/gaps.ts'
import type { NextStep } from '../lifecycle/status/next-step.ts'

export type Area = 'machine' | 'services' | 'versions' | 'environment' | 'policy' | 'channels'

/** `bad`: something fails, or will when it is needed. `warn`: a person should know. `unknown`: it was not looked at. */
export type Severity = 'bad' | 'warn' | 'unknown' | 'good'

export interface Finding {
  readonly area: Area
  readonly severity: Severity
  /** Null: it concerns the whole store or machine. */
  readonly model: string | null
  /** One sentence. */
  readonly summary: string
  /** What to type next; null where there is nothing to do. */
  readonly next: string | null
}

export interface DoctorReport {
  /** Worst first. */
  readonly findings: readonly Finding[]
  readonly models: readonly {
    readonly model: string
    readonly version: number | null
    readonly gaps: readonly Gap[]
  }[]
  /** The one thing to do now; null when there is nothing. */
  readonly next: NextStep | null
}

const ORDER: readonly Severity[] = ['bad', 'warn', 'unknown', 'good']

/** Worst first; otherwise in the order they were found. */
export const worstFirst = (a: Finding, b: Finding): number => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity)
