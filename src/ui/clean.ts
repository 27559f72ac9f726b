/**
 * Text from users and files on its way to a terminal: no control character may reach it, and columns must line up.
 * Nothing about colour belongs here.
 */

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this file is about
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this file is about
const CONTROL_BUT_LAYOUT = /\u001b\[[\d;]*m|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g

/** One line of user data, control characters (also bidirectional ones) written as visible escapes: `\x1b`, `\n`. */
export function cleanText(text: string): string {
  return text.replace(CONTROL, escapeOf)
}

/**
 * The last gate before a stream: whole output, in which newlines, tabs and our own colour sequences may stand.
 * @param color whether colour sequences pass; without colour they are written visibly like any other escape
 */
export function cleanOutput(text: string, color: boolean): string {
  return text.replace(CONTROL_BUT_LAYOUT, (found) =>
    found.length > 1 && color ? found : [...found].map(visible).join(''),
  )
}

const visible = (character: string): string => (character < ' ' || character > '~' ? escapeOf(character) : character)

function escapeOf(character: string): string {
  if (character === '\n') return '\\n'
  if (character === '\r') return '\\r'
  if (character === '\t') return '\\t'
  const code = character.charCodeAt(0)
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: our own colour sequences have no width
const COLOR = /\u001b\[[\d;]*m/g

/** Columns that `text` takes on a terminal: wide East Asian characters and emoji take two, combining marks none. */
export function displayWidth(text: string): number {
  const plain = text.replace(COLOR, '')
  // Nearly everything is ASCII; the segmenter costs milliseconds to build.
  if (/^[\x20-\x7e]*$/.test(plain)) return plain.length
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  let width = 0
  for (const { segment } of segmenter.segment(plain)) width += graphemeWidth(segment)
  return width
}

let segmenter: Intl.Segmenter | undefined

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u

function graphemeWidth(grapheme: string): number {
  if (/^[\p{Mn}\p{Me}\p{Cf}]+$/u.test(grapheme)) return 0
  return WIDE.test(grapheme) || grapheme.includes('\ufe0f') ? 2 : 1
}

/** Cuts uncoloured text to `width` columns, ending in `ellipsis` when something was lost. */
export function truncate(text: string, width: number, ellipsis: string): string {
  if (displayWidth(text) <= width) return text
  const room = Math.max(0, width - displayWidth(ellipsis))
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  let cut = ''
  let used = 0
  for (const { segment } of segmenter.segment(text)) {
    const next = graphemeWidth(segment)
    if (used + next > room) break
    cut += segment
    used += next
  }
  return cut + ellipsis
}
