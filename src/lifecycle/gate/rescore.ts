/**
 * Measures the champion anew on the challenger's test set, by the evaluation command of mlops.yaml, else the champion's
 * own, else the challenger's. Whoever is measured does not choose the ruler alone: by any command but the champion's own
 * both versions are measured. The test set's hash must be the recorded one. Running the command is in `evaluate.ts`.
 */
import type { Context } from '../../core/context.ts'
import type { Digest } from '../../core/digest.ts'
import { MlopsError } from '../../core/errors.ts'
import type { Project } from '../../project/config.ts'
import type { DeclaredData, RunEnd, RunStart } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'
import { runEvaluation } from '../evaluate.ts'
import { metricOf } from '../versions/metrics.ts'
import type { Champion, Rescore, VersionFacts } from './gate.ts'
import { isTestLogged, otherTest, testHash, testSetsOf } from './test-set.ts'

export interface RescoreRequest {
  readonly champion: Champion
  readonly challenger: VersionFacts
  /** `evaluate:` of mlops.yaml; it comes before the commands recorded with the versions. */
  readonly evaluate: string | undefined
  /** `--test DATA`, relative to the user's folder. */
  readonly test: string | undefined
}

/** Is there a question that recorded metrics cannot answer? */
export function needsRescore(champion: VersionFacts, challenger: VersionFacts, metrics: readonly string[]): boolean {
  if (champion.digest === challenger.digest || metrics.length === 0) return false
  const ours = testHash(challenger.manifest)
  if (ours === undefined) return false
  const unmeasured = metrics.some((name) => !Number.isFinite(metricOf(champion.manifest.metrics, name)))
  return unmeasured || testSetsOf(challenger.manifest, champion.manifest) !== 'same'
}

/**
 * @returns undefined when no evaluation command is known, so that the gate can say how to give one
 * @throws whatever the store throws for damaged bytes of the champion
 */
export async function rescore(
  ctx: Context,
  project: Project,
  store: Store,
  request: RescoreRequest,
): Promise<Rescore | undefined> {
  const { champion, challenger } = request
  const command = request.evaluate ?? champion.manifest.evaluate ?? challenger.manifest.evaluate
  const wanted = testHash(challenger.manifest)
  if (command === undefined || wanted === undefined) return undefined
  if (champion.manifest.files.length === 0) return { kind: 'impossible', reason: 'the champion has no files to score' }
  if (isTestLogged(challenger.manifest)) return { kind: 'impossible', reason: NO_FILE }
  const data = await findTestData(ctx, project, store, challenger, wanted, request.test)
  if ('reason' in data) return { kind: 'impossible', reason: data.reason }

  ctx.progress?.(`scoring ${champion.model}@${champion.version} on the test set of @${challenger.version}`)
  const measured = await runEvaluation(ctx, project, store, { manifest: champion.manifest, command, data: data.path })
  if (measured.kind === 'impossible' || command === champion.manifest.evaluate) return measured
  ctx.progress?.(`scoring @${challenger.version} with the same command`)
  const ours = await runEvaluation(ctx, project, store, { manifest: challenger.manifest, command, data: data.path })
  if (ours.kind === 'impossible') {
    return { kind: 'impossible', reason: `this version cannot be measured as the champion was: ${ours.reason}` }
  }
  const { metrics, heldOut } = ours
  return { ...measured, challenger: { command, metrics, ...(heldOut === undefined ? {} : { heldOut }) } }
}

const NO_FILE =
  'no file is known that holds the test set of this version, whose rows its script logged; register it again with --test DATA, or declare it: mlops track --data test=FILE'

/** The file whose hash the challenger recorded: named by the user, else where the run declared it. */
async function findTestData(
  ctx: Context,
  project: Project,
  store: Store,
  challenger: VersionFacts,
  wanted: Digest,
  named: string | undefined,
): Promise<{ readonly path: string } | { readonly reason: string }> {
  const { resolve } = await import('node:path')
  const declared = named === undefined ? await declaredPaths(store, challenger, wanted) : []
  const paths = named === undefined ? declared.map((path) => resolve(project.root, path)) : [resolve(ctx.cwd, named)]
  if (paths.length === 0) return { reason: 'pass the test set of this version: --test DATA' }
  const { hashDeclaredData } = await import('../../tracking/capture/declared-data.ts')
  const reasons: string[] = []
  for (const path of paths) {
    ctx.progress?.(`hashing ${path}`)
    try {
      const found = await hashDeclaredData({ name: 'test', path }, ctx.cwd, ctx.signal)
      if (found.sha256 === wanted) return { path }
      reasons.push(
        named === undefined
          ? `${path} is not the test set of this version any more (its hash differs)`
          : otherTest(named, challenger.version),
      )
    } catch (error) {
      ctx.signal?.throwIfAborted()
      // Gone or unreadable: the next place may have it.
      reasons.push(error instanceof MlopsError ? error.message : `${path} cannot be read`)
    }
  }
  return { reason: `${reasons.join('; ')}; pass the test set of this version: --test DATA` }
}

/** Paths under which the run declared data of this hash, relative to the project. */
async function declaredPaths(store: Store, { run, isImported }: VersionFacts, wanted: Digest): Promise<string[]> {
  if (run === undefined || isImported === true) return []
  const { join } = await import('node:path')
  const start = await store.objects.readJson<RunStart>(run.run.sha256)
  const end = run.end === undefined ? undefined : await store.objects.readJson<RunEnd>(run.end.sha256)
  const declared: readonly DeclaredData[] = end?.late?.data ?? start.data
  return declared.filter(({ sha256 }) => sha256 === wanted).map(({ path }) => join(start.cwd, path))
}
