/** The marks of verdicts: a shape, a word and a colour each, so that none of them is needed to understand the others. */
import type { CheckVerdict, ColumnVerdict, HealthVerdict } from '../../../drift/types.ts'
import { type Html, html, raw } from './escape.ts'

export type Mark = CheckVerdict | ColumnVerdict | HealthVerdict | 'small'

interface Look {
  readonly tone: 'bad' | 'warn' | 'good' | 'soft'
  readonly shape: string
}

/** Shapes on a square of 16. */
const LOOKS: Readonly<Record<Mark, Look>> = {
  broken: { tone: 'bad', shape: 'x' },
  drift: { tone: 'bad', shape: 'd' },
  breach: { tone: 'bad', shape: 'd' },
  inconclusive: { tone: 'warn', shape: 'q' },
  negligible: { tone: 'good', shape: 'k' },
  stable: { tone: 'good', shape: 'k' },
  ok: { tone: 'good', shape: 'k' },
  skipped: { tone: 'soft', shape: 'n' },
  small: { tone: 'soft', shape: 'n' },
}

const SHAPES: Readonly<Record<string, string>> = {
  // A warning triangle, a struck circle, a question, a tick, a dash.
  d: '<path d="M8 1.8 15 14H1zM8 6.2v3.6M8 12v.01"/>',
  x: '<circle cx="8" cy="8" r="6.7"/><path d="m5.6 5.6 4.8 4.8m0-4.8-4.8 4.8"/>',
  q: '<circle cx="8" cy="8" r="6.7"/><path d="M6.1 6.3a1.9 1.9 0 1 1 2.7 1.8c-.5.3-.8.6-.8 1.1v.2M8 11.5v.01"/>',
  k: '<circle cx="8" cy="8" r="6.7"/><path d="m5.2 8.3 2 2 3.7-4.4"/>',
  n: '<circle cx="8" cy="8" r="6.7"/><path d="M5.3 8h5.4"/>',
}

/** Drawn once; every mark refers to it. Also the hatching of what chance alone may show. */
export const DEFINITIONS: Html = raw(
  `<svg width="0" height="0" style="position:absolute" aria-hidden="true"><defs>${Object.entries(SHAPES)
    .map(([name, drawing]) => `<symbol id="i-${name}" viewBox="0 0 16 16">${drawing}</symbol>`)
    .join(
      '',
    )}<pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatch" d="M0 0v5"/></pattern></defs></svg>`,
)

export const tone = (mark: Mark): string => LOOKS[mark].tone

export const icon = (mark: Mark): Html =>
  html`<svg class="i" aria-hidden="true"><use href="#i-${LOOKS[mark].shape}"/></svg>`

export const tag = (mark: Mark): Html => html`<span class="tag ${tone(mark)}">${icon(mark)}<span>${mark}</span></span>`
