/** Writes the flags of a tracked command as parameters of its run. How they are read is `arguments.ts`. */
import { resolve } from 'node:path'
import type { RunStart } from '../../store/run-records.ts'
import type { RunWriter } from '../../store/store.ts'
import { readArguments } from './arguments.ts'

/**
 * At the start, so that others see them while the command runs. What `--param` gives needs no second word, and paths of
 * declared data are recorded with their digests.
 * @returns what went wrong, in words: the command goes on without them
 */
export async function recordArguments(
  cwd: string,
  data: readonly { readonly path: string }[],
  start: RunStart,
  writer: RunWriter,
): Promise<string[]> {
  const declared = data.map(({ path }) => resolve(cwd, path))
  const isData = (word: string): boolean => {
    const full = resolve(cwd, word)
    return declared.some((path) => full === path || full.startsWith(`${path}/`))
  }
  const lines = readArguments(start.command, isData)
    .filter(([key]) => !Object.hasOwn(start.params, key))
    .map(([key, value]) => ({ t: start.started, key, value, from: 'argument' as const }))
  if (lines.length === 0) return []
  try {
    await writer.append('params', lines)
    return []
  } catch (error) {
    return [`the flags of the command could not be recorded: ${error instanceof Error ? error.message : String(error)}`]
  }
}
