/** What the tests of src/drift/ share: temporary folders, the Python reference, profiles of data written in place. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Baseline, profileBaseline, profileBatch } from '../../../src/drift/baseline.ts'
import { type CompareOptions, type Comparison, compareProfiles } from '../../../src/drift/compare.ts'
import type { ColumnResult } from '../../../src/drift/types.ts'
import type { SchemaConfig } from '../../../src/project/config.ts'
import { needsPython, PYTHON } from '../../support/python.ts'

export const ROOT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))
/** Real files that nobody here made; absent on other machines. */
export const DATA = join(ROOT, '../shared/data')

export const NO_SCHEMA: SchemaConfig = { columns: {} }

export interface Folder {
  readonly path: string
  write(name: string, content: string | Uint8Array): string
  baseline(name: string, schema?: SchemaConfig): Promise<Baseline>
  /** Profiles `before` as a baseline, counts `after` into it and compares. */
  compare(before: string, after: string, options?: Partial<CompareOptions>, schema?: SchemaConfig): Promise<Comparison>
  remove(): void
}

export function folder(): Folder {
  const path = mkdtempSync(join(tmpdir(), 'mlops-drift-'))
  const baseline = (name: string, schema = NO_SCHEMA) => profileBaseline(name, { cwd: path, schema })
  return {
    path,
    write: (name, content) => {
      writeFileSync(join(path, name), content)
      return name
    },
    baseline,
    compare: async (before, after, options = {}, schema = NO_SCHEMA) => {
      const { profile } = await baseline(before, schema)
      const batch = await profileBatch(profile, after, { cwd: path })
      return compareProfiles(profile, batch.profile, { metric: 'psi', ...options })
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}

// biome-ignore lint/suspicious/noExplicitAny: the shape of the answer depends on the request
export function askPython(context: Mocha.Context, request: unknown): any {
  needsPython(context)
  const script = join(ROOT, 'test/python/drift_reference.py')
  const { stdout, stderr, status } = spawnSync(PYTHON, [script], {
    input: JSON.stringify(request),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}

/** A CSV of one column. */
export const csv = (header: string, values: Iterable<unknown>): string => `${header}\n${[...values].join('\n')}\n`

/** The result of a column in which nothing was found, but for `over`. */
export const column = (name: string, over: Partial<ColumnResult> = {}): ColumnResult => ({
  ...({ column: name, type: 'numeric', role: 'feature', verdict: 'stable', metric: 'psi' } as const),
  ...{
    effect: 0,
    threshold: 0.1,
    noise: 0.01,
    pAdjusted: 1,
    measures: {},
    summary: '',
    causes: [],
    informs: [],
    groups: [],
  },
  ...over,
})
