/** A terminal whose content is drawn anew in place; what stood there before comes back when it is closed. */
import { cleanOutput } from './clean.ts'
import type { Style } from './style.ts'
import { createUi, type Ui } from './ui.ts'

export interface Screen {
  /** Draws what fits: lines below the last row of the terminal are left out. */
  draw(render: (ui: Ui) => string): void
  close(): void
}

const ENTER = '\u001b[?1049h\u001b[?25l'
const LEAVE = '\u001b[?25h\u001b[?1049l'
const HOME = '\u001b[H'
const CLEAR_LINE = '\u001b[K'
const CLEAR_BELOW = '\u001b[J'

/** @param now the present of each drawing. Its width is the terminal's of that moment: windows change. */
export function openScreen(stream: NodeJS.WriteStream, style: Style, now: () => Date): Screen {
  let isOpen = true
  const close = (): void => {
    if (isOpen) stream.write(LEAVE)
    isOpen = false
    process.off('exit', close)
  }
  // Whatever ends the process, the terminal must be usable.
  process.on('exit', close)
  stream.write(ENTER)
  return {
    draw(render) {
      if (!isOpen) return
      const ui = createUi({ style, width: stream.columns || 80, now: now(), quiet: false })
      const lines = cleanOutput(render(ui), style.color).split('\n')
      const shown = lines.slice(0, Math.max(1, (stream.rows || 24) - 1))
      stream.write(HOME + shown.map((line) => `${line}${CLEAR_LINE}\n`).join('') + CLEAR_BELOW)
    },
    close,
  }
}
