/**
 * How many held-out rows stand in the training data too, where both are tables that can be read now: those of the flags,
 * else those the run declared, if they are still the same. It never keeps a version out; what cannot be compared is
 * unknown, and that is said. What an overlap means for a stage is for a gate to say.
 */
import { resolve } from 'node:path'
import type { Context } from '../../core/context.ts'
import type { Digest } from '../../core/digest.ts'
import { failed, isMlopsError } from '../../core/errors.ts'
import type { DataInput } from '../../data/input.ts'
import type { Overlap } from '../../evaluation/types.ts'
import type { SchemaConfig } from '../../project/config.ts'
import type { RunSource } from './run-source.ts'
import type { RegisterRequest } from './types.ts'

export interface OverlapRequest {
  readonly request: Pick<RegisterRequest, 'baseline' | 'test' | 'testPredictions'>
  readonly run: RunSource | undefined
  readonly schema: SchemaConfig
  /** Takes sentences for a person. */
  readonly notes: string[]
}

/** @returns undefined when it is unknown; a note says why, but where a version has no held-out rows at all */
export async function overlapEvidence(ctx: Context, asked: OverlapRequest): Promise<Overlap | undefined> {
  const { request, run, schema, notes } = asked
  const train = tableOf(ctx, request.baseline, run, 'train')
  const test = tableOf(ctx, request.test, run, 'test')
  if (train === undefined || test === undefined) {
    const missing = missingTable(asked, test === undefined)
    if (missing !== undefined) notes.push(notKnown(missing))
    return undefined
  }
  try {
    const [{ overlapOf }, { namedData }] = await Promise.all([
      import('../../evaluation/overlap.ts'),
      import('../../data/input.ts'),
    ])
    ctx.progress?.('looking for held-out rows in the training data')
    const overlap = await overlapOf(unchanged(namedData(test.path), test), unchanged(namedData(train.path), train), {
      cwd: ctx.cwd,
      schema,
      ...(ctx.signal === undefined ? {} : { signal: ctx.signal }),
    })
    if (overlap.shared > 0) notes.push(overlapText(overlap))
    return overlap
  } catch (error) {
    ctx.signal?.throwIfAborted()
    if (!isMlopsError(error) || error.exit === 'interrupted') throw error
    notes.push(notKnown(error.message.replace(/\.$/, '')))
    return undefined
  }
}

/** `37 of 1,200 held-out rows stand in the training data too`. */
export function overlapText({ rows, shared, expected }: { rows: number; shared: number; expected?: number }): string {
  const count = (number: number): string => Math.round(number).toLocaleString('en-US')
  const verb = shared === 1 ? 'stands' : 'stand'
  const chance =
    expected === undefined || expected < 1 ? '' : `; training rows repeat, so about ${count(expected)} can be chance`
  return `${count(shared)} of ${count(rows)} held-out rows ${verb} in the training data too${chance}`
}

const notKnown = (why: string): string => `whether held-out rows stand in the training data is not known: ${why}`

/** Why there are no two tables to compare; undefined where a version has no held-out rows. */
function missingTable({ request, run }: OverlapRequest, noTest: boolean): string | undefined {
  if (noTest) {
    const isNamed = request.test !== undefined
    if (isNamed) return 'the test set is no file that can be read again'
    const isAnswered = request.testPredictions !== undefined || run?.test !== undefined
    return isAnswered ? 'there are answers on them, and no file of the rows was named (--test FILE)' : undefined
  }
  return typeof request.baseline === 'string'
    ? 'the training data is no file that can be read again'
    : 'no training data was named (--baseline FILE, or mlops track --data train=FILE)'
}

interface Table {
  /** As the user or the run wrote it. */
  readonly name: string
  /** Absolute. */
  readonly path: string
  /** Of what the run read; undefined for what was named now. */
  readonly sha256: Digest | undefined
}

function tableOf(
  ctx: Context,
  named: string | false | undefined,
  run: RunSource | undefined,
  role: 'train' | 'test',
): Table | undefined {
  if (typeof named === 'string') {
    // Standard input is read once; a database would be read anew in whole, and may have changed.
    const isPath = named !== '-' && !/^postgres(?:ql)?:\/\//i.test(named)
    return isPath ? { name: named, path: resolve(ctx.cwd, named), sha256: undefined } : undefined
  }
  const declared = run?.data.find(({ name }) => name === role)
  if (run === undefined || declared === undefined) return undefined
  return { name: declared.path, path: resolve(run.cwd, declared.path), sha256: declared.sha256 }
}

/** Refuses a file that is not the one the run read. */
function unchanged(input: DataInput, { name, sha256 }: Table): DataInput {
  return {
    name,
    open: (options, use) =>
      input.open(options, async (source) => {
        if (sha256 !== undefined && (await source.sha256) !== sha256) {
          throw failed({ code: 'DATA_CHANGED', message: `${name} is not what the run read any more.` })
        }
        return use(source)
      }),
  }
}
