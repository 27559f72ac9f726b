/**
 * Runs the evaluation command of a version on a data file: what it measures, on which rows, is decided elsewhere. With
 * external gate checks the only code of the lifecycle that runs something; it never loads a model file itself.
 *
 * `{model}` becomes the one file of the version, or the folder of its files when there are several; `{data}` becomes
 * the data; `{predictions}`, where the command has it, a path in a temporary folder, for the answers row by row
 * (docs/evaluation.md). What the command prints as `key: value` or JSON lines is measured.
 */
import type { Context } from '../core/context.ts'
import { MlopsError } from '../core/errors.ts'
import type { Project } from '../project/config.ts'
import { describeDuration, MINUTE } from '../project/duration.ts'
import { modelConfig } from '../project/load.ts'
import type { Manifest } from '../store/manifest.ts'
import type { Store } from '../store/store.ts'
import type { Rescore } from './gate/facts.ts'
import { filledIn, runShell } from './shell-command.ts'
import { withFilesOf } from './version-files.ts'

export interface EvaluationRequest {
  readonly manifest: Manifest
  /** With `{model}` and `{data}`. */
  readonly command: string
  /** Absolute path of the rows. */
  readonly data: string
}

const PREDICTIONS = '{predictions}'
/** Nobody waits for a promotion longer; `evaluate_timeout` of mlops.yaml says otherwise. */
const TIMEOUT = 30 * MINUTE

/** @throws whatever the store throws for damaged bytes of the version, and an abort of `ctx.signal` */
export async function runEvaluation(
  ctx: Context,
  project: Project,
  store: Store,
  { manifest, command, data }: EvaluationRequest,
): Promise<Rescore> {
  return withFilesOf(store, manifest, async ({ model, scratch }) => {
    const { join } = await import('node:path')
    const predictions = join(scratch, 'predictions.csv')
    const filled = filledIn(command, { '{model}': model, '{data}': data, [PREDICTIONS]: predictions })
    if ('problem' in filled)
      return { kind: 'impossible', reason: `the evaluate command "${command}": ${filled.problem}` }
    const timeout = modelConfig(project, manifest.model).evaluateTimeout ?? TIMEOUT
    const printed = await measure(ctx, filled.line, { cwd: project.root, timeout }, command)
    if (printed.kind === 'impossible' || !command.includes(PREDICTIONS)) return usable(printed, command)
    return usable({ ...printed, ...(await readAnswers(ctx, manifest, predictions)) }, command)
  })
}

type Measured = Extract<Rescore, { kind: 'measured' }>

async function measure(
  ctx: Context,
  line: string,
  at: { readonly cwd: string; readonly timeout: number },
  command: string,
): Promise<Rescore> {
  const { createLineScanner } = await import('../tracking/values/line-scanner.ts')
  const { readPrintedLine } = await import('../tracking/values/printed-values.ts')
  const metrics: Record<string, number> = {}
  const scanner = createLineScanner((text) => {
    for (const { key, value } of readPrintedLine(text).metrics) metrics[key] = value
  })
  const { kind, end, stderr } = await runShell(ctx, line, { ...at, onStdout: (chunk) => scanner.feed(chunk) })
  scanner.end()
  if (kind === 'exited' && end === 0) return { kind: 'measured', metrics }
  if (kind === 'timed out') {
    const limit = `had not ended after ${describeDuration(at.timeout)} and was stopped (evaluate_timeout in mlops.yaml)`
    return { kind: 'impossible', reason: `the evaluate command "${command}" ${limit}` }
  }
  const said = stderr.at(-1)?.trim() ?? ''
  const reason = `the evaluate command "${command}" ended with ${end}${said === '' ? '' : `: ${said}`}`
  return { kind: 'impossible', reason }
}

/** The answers that the command wrote. One that wrote none is as good as one without the placeholder, but says so. */
async function readAnswers(
  ctx: Context,
  manifest: Manifest,
  path: string,
): Promise<Pick<Measured, 'heldOut' | 'unreadable'>> {
  const { existsSync } = await import('node:fs')
  if (!existsSync(path)) return { unreadable: `the evaluate command wrote nothing to ${PREDICTIONS}` }
  try {
    const { readHeldOutFile } = await import('../evaluation/held-out.ts')
    const signal = ctx.signal === undefined ? {} : { signal: ctx.signal }
    return { heldOut: await readHeldOutFile(path, manifest, signal) }
  } catch (error) {
    ctx.signal?.throwIfAborted()
    if (!(error instanceof MlopsError)) throw error
    return { unreadable: `what the evaluate command wrote to ${PREDICTIONS} cannot be read: ${error.message}` }
  }
}

/** Metrics were printed, or are computed from the answers. */
async function usable(found: Rescore, command: string): Promise<Rescore> {
  if (found.kind === 'impossible' || Object.keys(found.metrics).length > 0) return found
  if (found.heldOut !== undefined) {
    const { metricsOf } = await import('../evaluation/metrics.ts')
    return { ...found, metrics: metricsOf(found.heldOut) }
  }
  const why = found.unreadable === undefined ? '' : `, and ${found.unreadable}`
  return { kind: 'impossible', reason: `the evaluate command "${command}" printed no metric ("auc: 0.91")${why}` }
}
