/** Prose that fits the terminal: broken between words. A command in it is there to be copied and stays one line. */
import { displayWidth } from './clean.ts'

/** Columns of a terminal; Infinity for anything else, so that nothing is broken in a pipe or a log. */
export const columnsOf = (stream: NodeJS.WriteStream): number =>
  stream.isTTY === true ? stream.columns || 80 : Number.POSITIVE_INFINITY

/** Where a command begins: ours anywhere, those of others where a sentence announces them. */
const OTHERS = 'cd|chmod|curl|df|docker|export|git|kill|ls|npm|pg_isready|pip'
const BEGIN = String.raw`(?:(?:(?<=\x1b\[\d+m)|(?<![\w./-]))mlops (?=[a-z])|(?<=: (?:\x1b\[\d+m)*|\()(?:${OTHERS}) )`
/** What is quoted belongs to it; a mark of punctuation, a colour's end or the next part of the sentence ends it. */
const REST = String.raw`(?:"[^"\n]*"|'[^'\n]*'|.)*?(?=[;,:.]? and | or |[;,:?] |\. [A-Z]| \(|\)|\x1b|$)`
const COMMAND = new RegExp(BEGIN + REST, 'gm')
/** A blank that does not break, of a code point that no text has a use for. */
const HARD = '\u{e000}'

/**
 * Breaks each line of `text` between words where it would pass `width` columns; a word that is longer (a path) keeps
 * its whole, and so does a command. Blanks at the beginning of a line and colours stay.
 * @param width columns; Infinity changes nothing
 * @param indent blanks before each line that this adds
 */
export function wrap(text: string, width: number, indent = 0): string {
  if (!Number.isFinite(width)) return text
  return text
    .replace(COMMAND, (command) => command.replaceAll(' ', HARD))
    .split('\n')
    .map((line) => wrapLine(line, width, indent))
    .join('\n')
    .replaceAll(HARD, ' ')
}

function wrapLine(line: string, width: number, indent: number): string {
  if (displayWidth(line) <= width) return line
  const lines: string[] = []
  let current = /^ */.exec(line)?.[0] ?? ''
  let isEmpty = true
  for (const word of line.trim().split(' ')) {
    // A mark at the beginning keeps its first word: on the next line that would begin no further left.
    const next = displayWidth(current) + 1
    if (!isEmpty && next > indent && next + displayWidth(word) > width) {
      lines.push(current.trimEnd())
      current = ' '.repeat(indent)
      isEmpty = true
    }
    current += isEmpty ? word : ` ${word}`
    isEmpty = false
  }
  return [...lines, current].join('\n')
}
