/** The signals of this process, for commands that pass them on to a child. Installed only while somebody listens. */
import type { SignalSource } from './child.ts'

const WATCHED: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

export const processSignals: SignalSource = (listener) => {
  const onSignal = (signal: NodeJS.Signals): void => listener(signal)
  for (const signal of WATCHED) process.on(signal, onSignal)
  return () => {
    for (const signal of WATCHED) process.off(signal, onSignal)
  }
}
