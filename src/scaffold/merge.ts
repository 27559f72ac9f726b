/**
 * Two texts that both come from a third, line by line. Pure. What a conflict means, and whether it is written, is decided
 * in plan.ts.
 */
import { diff3MergeRegions, diffComm } from 'node-diff3'

/** What stands around the parts that nobody could decide. */
export const MARKERS = {
  yours: '<<<<<<< yours',
  before: '||||||| as it was generated',
  between: '=======',
  generated: '>>>>>>> as mlops generates it now',
} as const

export interface Merged {
  /** With markers where there are conflicts. */
  readonly text: string
  /** Lines of `yours`, from 1, where a conflict begins. */
  readonly conflicts: readonly number[]
}

interface Region {
  readonly stable: boolean
  readonly buffer?: string
  readonly bufferContent?: readonly string[]
  readonly aStart?: number
  readonly aContent?: readonly string[]
  readonly oContent?: readonly string[]
  readonly bContent?: readonly string[]
}

/** @param base what both began as */
export function mergeThreeWays(yours: string, base: string, generated: string): Merged {
  const regions = diff3MergeRegions(yours.split('\n'), base.split('\n'), generated.split('\n')) as Region[]
  const lines: string[] = []
  const conflicts: number[] = []
  for (const region of regions) {
    if (region.stable) {
      lines.push(...(region.bufferContent ?? []))
      continue
    }
    const { aContent = [], oContent = [], bContent = [] } = region
    if (sameLines(aContent, bContent)) lines.push(...aContent)
    // `diff3MergeRegions` calls a stretch unstable when both touched it, also when one of them ended where it began.
    else if (sameLines(aContent, oContent)) lines.push(...bContent)
    else if (sameLines(bContent, oContent)) lines.push(...aContent)
    else {
      conflicts.push((region.aStart ?? 0) + 1)
      lines.push(
        MARKERS.yours,
        ...aContent,
        MARKERS.before,
        ...oContent,
        MARKERS.between,
        ...bContent,
        MARKERS.generated,
      )
    }
  }
  return { text: lines.join('\n'), conflicts }
}

/** Of two texts without a common beginning: what is equal once, what differs between markers. */
export function mergeTwoWays(yours: string, generated: string): Merged {
  const lines: string[] = []
  const conflicts: number[] = []
  let at = 1
  for (const part of diffComm(yours.split('\n'), generated.split('\n')) as Comparison[]) {
    if (part.common !== undefined) {
      lines.push(...part.common)
      at += part.common.length
      continue
    }
    const { buffer1 = [], buffer2 = [] } = part
    conflicts.push(at)
    lines.push(MARKERS.yours, ...buffer1, MARKERS.between, ...buffer2, MARKERS.generated)
    at += buffer1.length
  }
  return { text: lines.join('\n'), conflicts }
}

interface Comparison {
  readonly common?: readonly string[]
  readonly buffer1?: readonly string[]
  readonly buffer2?: readonly string[]
}

/** @returns the lines, from 1, at which somebody still has to decide */
export const markerLines = (text: string): number[] =>
  text.split('\n').flatMap((line, index) => (line === MARKERS.yours || line === MARKERS.generated ? [index + 1] : []))

const sameLines = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((line, index) => line === b[index])

const AROUND = 3

interface Line {
  readonly sign: ' ' | '-' | '+'
  readonly text: string
}

/** A unified diff of two texts, for reading; an empty string when they are equal. `before` undefined: there was none. */
export function unifiedDiff(path: string, before: string | undefined, after: string | undefined): string {
  if (before === after) return ''
  const parts = diffComm(linesOf(before), linesOf(after)) as Comparison[]
  const lines = parts.flatMap((part): Line[] =>
    part.common !== undefined
      ? part.common.map((text) => ({ sign: ' ' as const, text }))
      : [
          ...(part.buffer1 ?? []).map((text) => ({ sign: '-' as const, text })),
          ...(part.buffer2 ?? []).map((text) => ({ sign: '+' as const, text })),
        ],
  )
  const near = lines.map((_, index) =>
    lines.slice(Math.max(0, index - AROUND), index + AROUND + 1).some(({ sign }) => sign !== ' '),
  )
  const out = [
    before === undefined ? '--- /dev/null' : `--- a/${path}`,
    after === undefined ? '+++ /dev/null' : `+++ b/${path}`,
  ]
  let [oldLine, newLine] = [1, 1]
  for (let index = 0; index < lines.length; index++) {
    if (near[index] === true && near[index - 1] !== true) {
      const end = near.indexOf(false, index)
      const hunk = lines.slice(index, end < 0 ? undefined : end)
      const count = (sign: '-' | '+'): number => hunk.filter((line) => line.sign === ' ' || line.sign === sign).length
      const [olds, news] = [count('-'), count('+')]
      const start = (line: number, length: number): number => (length === 0 ? line - 1 : line)
      out.push(`@@ -${start(oldLine, olds)},${olds} +${start(newLine, news)},${news} @@`)
    }
    const line = lines[index]
    if (line === undefined) continue
    if (near[index] === true) out.push(`${line.sign}${line.text}`)
    if (line.sign !== '+') oldLine++
    if (line.sign !== '-') newLine++
  }
  return `${out.join('\n')}\n`
}

/** Without the empty piece behind the last line end. */
const linesOf = (text: string | undefined): string[] =>
  text === undefined || text === '' ? [] : (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n')
