/** The last lines that a command printed, fit to be shown: what a terminal would still show of them, without secrets. */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { redactText } from '../../core/redact.ts'

/** Of one run. A traceback has its message last. */
const LINES = 10
const BYTES = 32 * 1024
const LONGEST = 500
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is removed
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

/** @param path of output.log. @returns oldest first; none where there is no output, or it cannot be read */
export async function lastLines(path: string): Promise<string[]> {
  // In the place of a file somebody may have put a link, or a pipe that would be waited for.
  const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0)
  const file = await open(path, flags).catch(() => undefined)
  if (file === undefined) return []
  try {
    const found = await file.stat()
    if (!found.isFile()) return []
    const { size } = found
    const from = Math.max(0, size - BYTES)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from)
    return cleanLines(buffer.toString('utf8', 0, bytesRead), from > 0)
  } catch {
    return []
  } finally {
    await file.close()
  }
}

/** @param torn its first line may lack its beginning. Secrets are looked for before lines are cut: a cut one is no less one */
export function cleanLines(text: string, torn: boolean): string[] {
  const lines = text.replace(ESCAPES, '').replaceAll('\r\n', '\n').split('\n')
  // All of one line without an end is better than nothing.
  const whole = torn && lines.length > 1 ? lines.slice(1) : lines
  const shown = whole.map((line) => finalOf(line).replace(CONTROLS, '').trimEnd())
  return redactText(shown.join('\n'))
    .split('\n')
    .filter((line) => line !== '')
    .slice(-LINES)
    .map((line) => (line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line).toWellFormed())
}

/** What a progress bar drew last. */
const finalOf = (line: string): string => line.split('\r').findLast((part) => part.trim() !== '') ?? ''
