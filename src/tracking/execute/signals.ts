/**
 * Signals on their way to a tracked command: those of this process, and a hub that listens from the first moment to the
 * last, so that a second Ctrl-C between two phases does not end the recording.
 */
import type { SignalSource } from './child.ts'

const WATCHED: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

export const processSignals: SignalSource = (listener) => {
  const onSignal = (signal: NodeJS.Signals): void => listener(signal)
  for (const signal of WATCHED) process.on(signal, onSignal)
  return () => {
    for (const signal of WATCHED) process.off(signal, onSignal)
  }
}

export interface SignalHub {
  /** One listener at a time; signals that come while there is none wait for the next. */
  readonly source: SignalSource
  /** From now on signals do what they do by default. */
  close(): void
}

export function signalHub(outer: SignalSource | undefined): SignalHub {
  let listener: ((signal: NodeJS.Signals) => void) | undefined
  const waiting: NodeJS.Signals[] = []
  const stop = outer?.((signal) => {
    if (listener === undefined) waiting.push(signal)
    else listener(signal)
  })
  return {
    source(next) {
      listener = next
      for (const signal of waiting.splice(0)) next(signal)
      return () => {
        if (listener === next) listener = undefined
      }
    },
    close: () => stop?.(),
  }
}
