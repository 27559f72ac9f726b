/**
 * Rows on standard input: copied once into a private temporary file, because counting reads them several times, and then
 * read like any other file. The copy lives as long as the process, so that the same input can be opened again.
 */
import { stat } from 'node:fs/promises'
import type { Context } from '../core/context.ts'
import { failed, interrupted, usage } from '../core/errors.ts'
import { readingFailed } from './hash.ts'
import type { Place } from './locate.ts'
import { type OpenOptions, type Source, withPlace } from './source.ts'
import { makeSpool } from './spool.ts'

type Stdin = NonNullable<Context['stdin']>

export const STANDARD_INPUT = 'standard input'

const copies = new WeakMap<Stdin, Promise<Place>>()

/** @throws usage `STDIN_IS_TERMINAL`, `STDIN_MISSING`; failed `DATA_EMPTY`; otherwise as `withSource` */
export async function withStandardInput<T>(options: OpenOptions, use: (source: Source) => Promise<T>): Promise<T> {
  const { stdin, signal } = options
  if (stdin === undefined) {
    throw usage({ code: 'STDIN_MISSING', message: 'There is no standard input to read here.', hint: 'Name a file' })
  }
  if (stdin.isTTY === true) {
    throw usage({
      code: 'STDIN_IS_TERMINAL',
      message: '- reads rows from standard input, but that is a terminal.',
      hint: 'Pipe them in: cat rows.csv | mlops … -',
    })
  }
  const copy = copies.get(stdin) ?? copyOf(stdin, signal)
  copies.set(stdin, copy)
  return withPlace(STANDARD_INPUT, await copy, options, use)
}

async function copyOf(stdin: Stdin, signal: AbortSignal | undefined): Promise<Place> {
  const spool = await makeSpool(STANDARD_INPUT)
  const stop = () => (stdin as unknown as { destroy?: () => void }).destroy?.()
  signal?.addEventListener('abort', stop)
  try {
    if (signal?.aborted) throw interrupted({ code: 'INTERRUPTED', message: 'Interrupted while reading data.' })
    await spool.write(asBytes(stdin))
    if (signal?.aborted) throw interrupted({ code: 'INTERRUPTED', message: 'Interrupted while reading data.' })
    const { size, mtimeMs } = await stat(spool.path)
    if (size > 0) {
      return { isMany: false, files: [{ path: spool.path, label: STANDARD_INPUT, size, mtimeMs }], notes: [] }
    }
    throw failed({
      code: 'DATA_EMPTY',
      message: 'Standard input is empty: it does not even have a header.',
      hint: 'Check the program that writes it',
    })
  } catch (error) {
    spool.remove()
    throw readingFailed(error, STANDARD_INPUT, signal)
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

async function* asBytes(stdin: Stdin): AsyncGenerator<Uint8Array> {
  for await (const piece of stdin) yield typeof piece === 'string' ? Buffer.from(piece, 'utf8') : piece
}
