/** What a reproduction proves: the table, its verdict, the causes of a difference, why the command failed. Reads only. */
import { existsSync } from 'node:fs'
import { dirname, isAbsolute, resolve } from 'node:path'
import type { Context } from '../../core/context.ts'
import type { Store } from '../../store/store.ts'
import type { RunFacts } from '../compare/facts.ts'
import { absentFiles } from './absent-files.ts'
import { withArtifactNotes } from './artifact-notes.ts'
import { causesOf } from './causes.ts'
import { compareAnswers } from './compare-answers.ts'
import { type Answers, compareRuns, overallVerdict, type ResultRow } from './compare-runs.ts'
import { compareSeries } from './compare-series.ts'
import { toleranceOf } from './compare-values.ts'
import type { Prepared } from './environment.ts'
import { likelyCause } from './failure.ts'
import { goldenAnswers } from './golden.ts'
import type { Reproduction } from './result.ts'
import type { Tree } from './tree.ts'
import type { Facts, ReproducePlan, ReproduceRequest } from './types.ts'

export interface Concluding {
  readonly facts: Facts
  readonly plan: ReproducePlan
  readonly request: ReproduceRequest
  readonly reproduction: RunFacts
  /** The same command run once more. */
  readonly again: RunFacts | null
  /** Last lines of its output. */
  readonly tail: readonly string[]
  readonly tree: Tree
  readonly prepared: Prepared
  /** Absolute; an existing folder for files on their way. */
  readonly scratch: string
}

export async function concludeReproduction(
  ctx: Context,
  store: Store,
  concluding: Concluding,
): Promise<Omit<Reproduction, 'steps' | 'kept'>> {
  const { facts, plan, request, reproduction, prepared, again } = concluding
  const { original } = facts
  // Nobody knows that the stopped one would have failed.
  const hasFailed = reproduction.status !== 'finished' && original.facts.status !== 'failed'
  const rows = await tableOf(ctx, store, concluding)
  const verdict = hasFailed ? 'failed' : overallVerdict(rows, original.facts.status)
  const steady = again === null ? null : await isSteady(store, reproduction, again, request)
  const causes =
    verdict === 'different'
      ? causesOf({
          ...{ original: original.facts, reproduction, plan, environment: prepared.differences },
          unsteady: steady === false,
          rows,
        })
      : []
  return {
    plan,
    reproduction: {
      run: reproduction.run,
      status: reproduction.status,
      exit: reproduction.exit,
      signal: reproduction.signal,
      command: reproduction.command,
    },
    verdict,
    rows,
    causes,
    packages: prepared.differences,
    steady,
    failure: hasFailed ? { tail: concluding.tail, cause: await whyFailed(ctx, concluding) } : null,
  }
}

async function tableOf(ctx: Context, store: Store, concluding: Concluding): Promise<ResultRow[]> {
  const { facts, request, reproduction } = concluding
  const { original } = facts
  const options = { tolerances: request.tolerances, ignore: request.ignore }
  const models = original.version?.manifest.files.map(({ path }) => path) ?? []
  const id = original.start.id
  const series = original.inStore ? await compareSeries(store, id, reproduction.run, request.tolerances) : []
  const answers: Answers[] = original.inStore
    ? await compareAnswers(store, id, reproduction.run, toleranceOf('predictions', request.tolerances))
    : []
  const golden = answers.some(({ name }) => name === 'log_examples')
    ? undefined
    : await goldenAnswers(ctx, store, {
        ...{ original, reproduction, executable: concluding.prepared.executable, scratch: concluding.scratch },
        ...{ cwd: concluding.tree.cwd, tolerance: toleranceOf('predictions', request.tolerances) },
      })
  const all = golden === undefined ? answers : [...answers, golden]
  const again = withParams(reproduction, (text) => ofCheckout(text, concluding))
  const rows = compareRuns(original.facts, again, { series, answers: all, models }, options)
  return await withArtifactNotes(store, rows, concluding.tree)
}

/** A path of the worktree, or of the fresh environment, as it was called in the checkout. */
function ofCheckout(text: string, { tree, prepared, facts }: Concluding): string {
  const executable = facts.original.start.python?.executable
  const plain = text.replaceAll(tree.mirror, tree.top)
  if (prepared.bin === undefined || executable === undefined) return plain
  return plain.replaceAll(`${prepared.bin}/`, `${dirname(executable)}/`)
}

const withParams = (facts: RunFacts, map: (text: string) => string): RunFacts => ({
  ...facts,
  params: Object.fromEntries(
    Object.entries(facts.params).map(([name, value]) => [name, typeof value === 'string' ? map(value) : value]),
  ),
})

/** Did the command come out equal to itself? */
async function isSteady(store: Store, a: RunFacts, b: RunFacts, request: ReproduceRequest): Promise<boolean> {
  const options = { tolerances: request.tolerances, ignore: request.ignore }
  const series = await compareSeries(store, a.run, b.run, request.tolerances)
  const answers = await compareAnswers(store, a.run, b.run, toleranceOf('predictions', request.tolerances))
  const [one, other] = [a, b].map((run) =>
    withParams(run, (text) => text.replace(/(mlops-reproduce-[^/]+)\/tree\d\//g, '$1/')),
  ) as [RunFacts, RunFacts]
  return overallVerdict(compareRuns(one, other, { series, answers, models: [] }, options)) !== 'different'
}

async function whyFailed(ctx: Context, { tail, facts, tree, reproduction, prepared }: Concluding) {
  return likelyCause({
    absent: await absentFiles(ctx, tree, tail.join('\n'), Date.parse(facts.original.start.started)),
    tail,
    packages: prepared.differences,
    run: facts.original.start.id,
    isHere: (path) => !isAbsolute(path) && existsSync(resolve(tree.from, path)),
    declared: facts.original.start.data.map(({ path }) => path),
    mirror: reproduction.cwd === '.' ? tree.root : tree.cwd,
  })
}
