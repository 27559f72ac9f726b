/**
 * The examples of a version, asked of the model that was trained again: the answers that it must give are recorded, so
 * the registered model is never loaded. The new one is loaded by the environment that has just made it.
 */
import { writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Context } from '../../core/context.ts'
import type { Store } from '../../store/store.ts'
import type { RunFacts } from '../compare/facts.ts'
import { templateFolder } from '../execute/client-path.ts'
import { compareRows, parseLines } from './compare-answers.ts'
import type { Answers } from './compare-runs.ts'
import { runProgram } from './program.ts'
import type { Original } from './types.ts'

export interface GoldenRequest {
  readonly original: Original
  readonly reproduction: RunFacts
  /** The Python of the environment; undefined: there is none, and nothing is asked. */
  readonly executable: string | undefined
  /** Absolute; an existing folder for files on their way. */
  readonly scratch: string
  readonly cwd: string
  readonly tolerance: number
}

/** Only where the version has examples, and a model file of it came out with other bytes. */
export async function goldenAnswers(ctx: Context, store: Store, request: GoldenRequest): Promise<Answers | undefined> {
  const { original, reproduction, executable, scratch } = request
  const { version } = original
  const examples = version?.manifest.examples
  const file = version?.manifest.files.find(({ path, sha256 }) =>
    reproduction.artifacts.some((made) => sameFile(made.path, path) && made.sha256 !== sha256),
  )
  const made = reproduction.artifacts.find(({ path }) => file !== undefined && sameFile(path, file.path))
  const helper = templateFolder('reproduce')
  if (examples === undefined || made === undefined || executable === undefined || helper === undefined) return undefined
  const name = `examples of ${version?.name}`
  const [model, inputs] = [join(scratch, `again-${basename(made.path)}`), join(scratch, 'examples.jsonl')]
  const bytes = await plainBytes(await store.objects.read(examples.sha256))
  await store.objects.exportTo(made.sha256, model)
  await writeFile(inputs, bytes)
  ctx.progress?.('asking the new model')
  const words = [executable, join(helper, 'answers.py'), model, inputs]
  // A model may hold classes of the project's own modules.
  const env = { ...ctx.env, PYTHONPATH: request.cwd, PYTHONHOME: undefined }
  const end = await runProgram(words, { cwd: request.cwd, env, signal: ctx.signal })
  const rows = parseLines(bytes)
  if (end.code !== 0) {
    return {
      name,
      rows: rows.length,
      verdict: 'not compared',
      note: `it could not be asked: ${end.tail.at(-1) ?? 'no answer'}`,
    }
  }
  return { name, rows: rows.length, ...bestOf(rows, JSON.parse(end.stdout) as Ways, request.tolerance) }
}

type Ways = Readonly<Record<string, readonly unknown[]>>

/** Nobody recorded which way of asking the examples come from: the one that agrees is it. */
function bestOf(rows: readonly unknown[], ways: Ways, tolerance: number): Pick<Answers, 'verdict' | 'note'> {
  const order = ['equal', 'within tolerance', 'different']
  const judged = Object.entries(ways).map(([way, outputs]) => {
    const again = rows.map((row, at) => ({ ...(row as object), output: outputs[at] }))
    return { way, ...compareRows(rows, again, tolerance) }
  })
  const [best] = judged.sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict))
  if (best === undefined) return { verdict: 'not compared', note: 'the model has nothing to be asked by' }
  return { verdict: best.verdict, note: best.verdict === 'different' ? best.note : `${best.note}, by ${best.way}` }
}

const sameFile = (a: string, b: string): boolean => a === b || basename(a) === basename(b)

async function plainBytes(bytes: Buffer): Promise<Buffer> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes
  const { gunzipSync } = await import('node:zlib')
  return gunzipSync(bytes)
}
