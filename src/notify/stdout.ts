/** `stdout`: the alert as text, which the command prints with its result, so that `--json` stays one object. */
import type { Channel } from './channel.ts'
import { plainText } from './text.ts'

export const stdoutChannel = (): Channel => ({
  secrets: [],
  destination: () => ({ kind: 'terminal' }),
  send: async (alert) => plainText(alert),
})
