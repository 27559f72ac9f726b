/** What is wrong with a filter, with a caret under the place. How it is drawn on a terminal is `src/ui/errors.ts`. */
import { type MlopsError, usage } from '../../../core/errors.ts'

export interface Place {
  /** First character, and the one after the last, in the text of the filter. */
  readonly at: number
  readonly end: number
}

export interface Said {
  readonly message: string
  readonly hint?: string | undefined
}

/** Characters of the filter that are shown on either side of the place: the line must not be broken. */
const AROUND = 30
const ELLIPSIS = '…'
const GENERAL = 'Filters are explained in docs/runs.md; for example: --where "metrics.auc > 0.8 and git.dirty = false"'

/** @param text the whole filter. @returns usage `FILTER_INVALID` with `details.column`, counted from 1 */
export function filterProblem(text: string, { at, end }: Place, { message, hint = GENERAL }: Said): MlopsError {
  return usage({
    code: 'FILTER_INVALID',
    message: `${message}\n${excerpt(text, at, end)}`,
    hint,
    details: { filter: text, column: columnOf(text, at) },
  })
}

function excerpt(text: string, at: number, end: number): string {
  const from = at > AROUND ? at - AROUND : 0
  const until = Math.min(text.length, Math.max(end, at) + AROUND)
  const head = `${from > 0 ? ELLIPSIS : ''}${plain(text.slice(from, at))}`
  const marked = plain(text.slice(at, Math.min(end, until)))
  const tail = `${plain(text.slice(Math.max(end, at), until))}${until < text.length ? ELLIPSIS : ''}`
  const shown = marked.length > AROUND ? `${marked.slice(0, AROUND)}${ELLIPSIS}` : marked
  return `  ${head}${shown}${tail}\n  ${' '.repeat(widthOf(head))}${'^'.repeat(Math.max(1, widthOf(shown)))}`
}

const columnOf = (text: string, at: number): number => [...text.slice(0, at)].length + 1

/** Line ends and other control characters would move the caret, and so would halves of a pair. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g
const plain = (text: string): string => text.replace(CONTROL, ' ').replace(/\p{Cs}/gu, '?')

/** Columns, near enough: letters of East Asia and emoji take two. */
const widthOf = (text: string): number =>
  [...text].reduce(
    (sum, each) =>
      sum +
      (/\p{sc=Han}|\p{sc=Hangul}|\p{sc=Hira}|\p{sc=Kana}|\p{Emoji_Presentation}/u.test(each)
        ? 2
        : /\p{M}/u.test(each)
          ? 0
          : 1),
    0,
  )
