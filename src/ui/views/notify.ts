/** What `mlops notify test` says: a line per channel, what went wrong, and which variable to set. */
import type { ChannelTest } from '../../notify/test-message.ts'
import type { Ui } from '../ui.ts'

export function renderChannelTests(ui: Ui, results: readonly ChannelTest[]): string {
  const { style } = ui
  const printed = results.flatMap(({ print }) => (print === null ? [] : [renderPrinted(ui, print)]))
  const table = ui.table<ChannelTest>(
    [
      { title: 'CHANNEL', value: ({ channel }) => channel },
      {
        title: 'DELIVERED',
        value: ({ delivered }) => (delivered ? 'yes' : 'NO'),
        paint: (text, { delivered }) => (delivered ? style.good(text) : style.bad(text)),
      },
      { title: 'ATTEMPTS', value: ({ attempts }) => String(attempts), align: 'right' },
    ],
    results,
  )
  const failures = results.flatMap(({ channel, error, missing }) => {
    if (error === null) return []
    const set = missing === null ? '' : `\n  Set it: ${style.command(`export ${missing}=…`)}`
    return [`${style.bad(style.symbols.bad)} ${ui.text(channel)}: ${ui.text(error)}${set}`]
  })
  return [...printed, table, failures.join('\n')].filter((part) => part !== '').join('\n\n')
}

/** What the channel `stdout` gets: line by line, each cleaned. */
export const renderPrinted = (ui: Ui, text: string): string =>
  text
    .split('\n')
    .map((line) => ui.text(line))
    .join('\n')
