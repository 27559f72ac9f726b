/** Prose that fits the terminal: broken between words. Never for commands to copy, which must stay one line. */
import { displayWidth } from './clean.ts'

/** Columns of a terminal; Infinity for anything else, so that nothing is broken in a pipe or a log. */
export const columnsOf = (stream: NodeJS.WriteStream): number =>
  stream.isTTY === true ? stream.columns || 80 : Number.POSITIVE_INFINITY

/**
 * Breaks each line of `text` between words where it would pass `width` columns; a word that is longer (a path) keeps
 * its whole. Blanks at the beginning of a line and colours stay.
 * @param width columns; Infinity changes nothing
 * @param indent blanks before each line that this adds
 */
export function wrap(text: string, width: number, indent = 0): string {
  if (!Number.isFinite(width)) return text
  return text
    .split('\n')
    .map((line) => wrapLine(line, width, indent))
    .join('\n')
}

function wrapLine(line: string, width: number, indent: number): string {
  if (displayWidth(line) <= width) return line
  const lines: string[] = []
  let current = /^ */.exec(line)?.[0] ?? ''
  let isEmpty = true
  for (const word of line.trim().split(' ')) {
    if (!isEmpty && displayWidth(current) + 1 + displayWidth(word) > width) {
      lines.push(current.trimEnd())
      current = ' '.repeat(indent)
      isEmpty = true
    }
    current += isEmpty ? word : ` ${word}`
    isEmpty = false
  }
  return [...lines, current].join('\n')
}
