/** What the tests of src/data/ share: a temporary folder to write into, and reading all rows of a source. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MlopsError } from '../../../src/core/errors.ts'
import { asInput, type DataInput } from '../../../src/data/input.ts'
import type { OpenOptions } from '../../../src/data/source.ts'
import { needsPython, PYTHON } from '../../support/python.ts'

const ROOT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))

export interface Read {
  readonly columns: readonly string[]
  /** Everything as text. */
  readonly rows: readonly (readonly (string | null)[])[]
  readonly notes: readonly string[]
  readonly sha256: string
  readonly name: string
  readonly format: string
}

export interface Bench {
  readonly path: string
  /** Folders on the way are made. @returns `name` */
  write(name: string, content: string | Uint8Array): string
  read(data: string | DataInput, options?: Partial<OpenOptions>): Promise<Read>
  /** The one error that reading raises: one line, without SQL and without a path of a temporary copy. */
  refusal(data: string | DataInput, options?: Partial<OpenOptions>): Promise<MlopsError>
  /** The temporary copies that are lying about now. */
  copies(): string[]
  remove(): void
}

export function bench(): Bench {
  const usual = tmpdir()
  const path = mkdtempSync(join(usual, 'mlops-reading-'))
  // Private copies go where only this test looks for them.
  process.env.TMPDIR = join(path, 'tmp')
  mkdirSync(process.env.TMPDIR)
  const read: Bench['read'] = (data, options = {}) =>
    asInput(data).open({ cwd: path, ...options }, async (source) => {
      const select = source.columns.map(({ sql }) => `CAST(${sql} AS VARCHAR)`).join(', ')
      // Rows come in any order unless they are numbered.
      const numbered = `SELECT *, row_number() OVER () AS "row number" FROM ${source.relation}`
      const rows = await source.duck.rows(`SELECT ${select} FROM (${numbered}) ORDER BY "row number"`)
      await source.assertUnchanged()
      const { notes, name, format } = source
      const sha256 = await source.sha256
      const columns = source.columns.map((column) => column.name)
      return { columns, rows: rows as (string | null)[][], notes, sha256, name, format }
    })
  return {
    path,
    write(name, content) {
      mkdirSync(dirname(join(path, name)), { recursive: true })
      writeFileSync(join(path, name), content)
      return name
    },
    read,
    async refusal(data, options = {}) {
      try {
        await read(data, options)
      } catch (error) {
        assert.ok(error instanceof MlopsError, String((error as Error).stack))
        assert.ok(!/\n/.test(error.message) && error.message.length < 300, error.message)
        assert.ok(!/read_csv|read_json|SELECT \*|Candidates|mlops-data-/.test(error.message), error.message)
        assert.ok(error.hint !== undefined || error.exit === 'interrupted', `no hint: ${error.message}`)
        return error
      }
      throw new Error('it was accepted')
    },
    copies: () => readdirSync(join(path, 'tmp')),
    remove: () => {
      process.env.TMPDIR = usual
      rmSync(path, { recursive: true, force: true })
    },
  }
}

export function python(context: Mocha.Context, ...words: readonly string[]): void {
  needsPython(context)
  const { status, stderr } = spawnSync(PYTHON, [join(ROOT, 'test/python/write_formats.py'), ...words], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
}
