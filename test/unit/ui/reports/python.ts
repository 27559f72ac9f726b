/** Asks test/python/read_reports.py what a parser that is not ours makes of a report. */
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { needsPython, PYTHON } from '../../../support/python.ts'

const ROOT = dirname(dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url))))))

export interface Element {
  readonly tag: string
  readonly attributes: Readonly<Record<string, string>>
  readonly text: string
  readonly children: readonly Element[]
}

export interface Family {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: readonly {
    readonly name: string
    readonly labels: Readonly<Record<string, string>>
    readonly value: number
    readonly timestamp: number | null
  }[]
}

export const readJunit = (context: Mocha.Context, text: string): Element =>
  ask(context, { form: 'junit', text }) as Element
export const readPrometheus = (context: Mocha.Context, text: string): readonly Family[] =>
  ask(context, { form: 'prometheus', text }) as readonly Family[]

function ask(context: Mocha.Context, request: unknown): unknown {
  needsPython(context)
  const { stdout, stderr, status } = spawnSync(PYTHON, [join(ROOT, 'test/python/read_reports.py')], {
    input: JSON.stringify(request),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}
