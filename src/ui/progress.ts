/** One line of progress on stderr, only on a terminal, gone when the work is done. */
import { cleanText, truncate } from './clean.ts'

export interface Progress {
  readonly update: (step: string, fraction?: number) => void
  /** Clears the line; call it before anything else is written to the terminal. */
  readonly clear: () => void
}

export const SILENT: Progress = { update: () => {}, clear: () => {} }

/** Milliseconds between two drawings: more would only flicker. */
const INTERVAL = 80

/** @param clock milliseconds, to draw at most every 80 ms */
export function createProgress(stream: NodeJS.WriteStream, unicode: boolean, clock: () => number): Progress {
  let drawn = Number.NEGATIVE_INFINITY
  let shown = false
  let lastStep = ''
  return {
    update(step, fraction) {
      const time = clock()
      if (step === lastStep && fraction !== 1 && time - drawn < INTERVAL) return
      drawn = time
      lastStep = step
      shown = true
      const bar = fraction === undefined ? '' : `${drawBar(fraction, unicode)} `
      const text = truncate(`${bar}${cleanText(step)}`, (stream.columns || 80) - 1, unicode ? '…' : '...')
      stream.write(`\r\u001b[2K${text}`)
    },
    clear() {
      if (shown) stream.write('\r\u001b[2K')
      shown = false
    },
  }
}

function drawBar(fraction: number, unicode: boolean): string {
  const width = 20
  const share = Math.min(1, Math.max(0, fraction))
  const full = Math.round(share * width)
  const bar = (unicode ? '█' : '#').repeat(full) + (unicode ? '░' : '.').repeat(width - full)
  return `${bar} ${String(Math.round(share * 100)).padStart(3)} %`
}
