/** Templates of HTML in which every value is escaped unless it is HTML of ours already. */
import { cleanText } from '../../clean.ts'
import { wellFormed } from '../words.ts'

/** HTML made by `html`. A class of its own, so that no string can pass for it. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

export type Value = Html | string | number | false | null | undefined | readonly Value[]

/** html`<td>${user}</td>`: strings are escaped, lists joined, and what is absent leaves nothing. Attributes need quotes. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  let text = parts[0] ?? ''
  values.forEach((value, index) => {
    text += render(value) + (parts[index + 1] ?? '')
  })
  return new Html(text)
}

/** For text that is ours and is no HTML to escape, such as the style sheet. */
export const raw = (text: string): Html => new Html(text)

function render(value: Value): string {
  if (value instanceof Html) return value.text
  if (value === false || value === null || value === undefined) return ''
  if (typeof value === 'object') return value.map(render).join('')
  return escapeText(String(value))
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Control and bidirectional characters become visible escapes: nothing may reorder what a person reads. */
const escapeText = (text: string): string =>
  cleanText(wellFormed(text))
    .replace(/[&<>"']/g, (found) => ENTITIES[found] ?? found)
    // A number and its percent sign stay on one line.
    .replace(/(\d) %/g, '$1\u00a0%')
