/** What the parts of a scan have found so far, and the verdict that follows. The first rule: doubt is never `inert`. */
import type { ScanResult } from '../../store/manifest.ts'
import { isKnownGlobal } from './known-globals.ts'
import type { Global } from './values.ts'

const MOST_FINDINGS = 20
const MOST_KEPT = 10_000
const LONGEST = 200

export class Report {
  /** Imports that are on the list. */
  private readonly known = new Set<string>()
  /** What can execute code, in the order found. */
  private readonly dangers = new Set<string>()
  /** What could not be followed. */
  private readonly doubts = new Set<string>()

  global(global: Global): void {
    if (isKnownGlobal(global.module, global.name)) keep(this.known, global.text)
    else keep(this.dangers, global.text)
  }

  danger(what: string): void {
    keep(this.dangers, what)
  }

  doubt(why: string): void {
    keep(this.doubts, why)
  }

  get dangerous(): boolean {
    return this.dangers.size > 0
  }

  get doubtful(): boolean {
    return this.doubts.size > 0
  }

  /** Everything that was found, known or not, in no order: for comparing with another reading of the same bytes. */
  get imports(): string[] {
    return [...this.known, ...this.dangers]
  }

  /** Takes over what another report found. */
  add(other: Report): void {
    for (const each of other.known) keep(this.known, each)
    for (const each of other.dangers) keep(this.dangers, each)
    for (const each of other.doubts) keep(this.doubts, each)
  }

  result(): ScanResult {
    if (this.dangers.size > 0) return { verdict: 'can execute code', findings: listed(this.dangers) }
    if (this.doubts.size > 0) return { verdict: 'not determined', findings: listed(this.doubts) }
    if (this.known.size > 0) return { verdict: 'known globals only', findings: listed(this.known).sort() }
    return { verdict: 'inert', findings: [] }
  }
}

function keep(set: Set<string>, text: string): void {
  if (set.size < MOST_KEPT) set.add(text)
}

/** Names come from a file that may be hostile: whole, of one line, and not endless. */
const listed = (found: ReadonlySet<string>): string[] =>
  [...found].slice(0, MOST_FINDINGS).map((text) => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
    const clean = text.toWellFormed().replace(/[\u0000-\u001f\u007f-\u009f]/g, '?')
    return clean.length > LONGEST ? `${clean.slice(0, LONGEST)}…` : clean
  })
