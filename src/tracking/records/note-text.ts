/** The text of a note: as typed, or from standard input. */
import type { Context } from '../../core/context.ts'
import { usage } from '../../core/errors.ts'
import { LONGEST_NOTE } from './annotate.ts'

/** @param typed `-` reads standard input. @throws usage `NOTE_TOO_LONG` before all of an endless input was read */
export async function noteFrom(ctx: Context, typed: string | undefined): Promise<string | undefined> {
  if (typed !== '-') return typed
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of ctx.stdin ?? []) {
    const bytes = Buffer.from(piece)
    pieces.push(bytes)
    size += bytes.length
    // Four bytes at most are a character.
    if (size > 8 * LONGEST_NOTE) {
      const message = `What stands in standard input is longer than a note can be: ${LONGEST_NOTE} characters.`
      throw usage({ code: 'NOTE_TOO_LONG', message, hint: 'Write a paragraph and link to the rest' })
    }
  }
  return Buffer.concat(pieces).toString('utf8')
}
