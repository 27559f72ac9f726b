/**
 * What `register` decides from the request, the run and the evidence, before and after anything is written: the wishes
 * that hold, the manifest, the answer. Writes nothing; `commit.ts` does.
 */

import type { Context } from '../../core/context.ts'
import { usage } from '../../core/errors.ts'
import { versionName } from '../../core/names.ts'
import { shellWord } from '../../core/shell.ts'
import type { Overlap } from '../../evaluation/types.ts'
import type { Project } from '../../project/config.ts'
import { nextMove } from '../../project/next-move.ts'
import type { Manifest } from '../../store/manifest.ts'
import { checkedTags } from '../../tracking/values/tags.ts'
import { PRODUCTION } from '../gate/rules.ts'
import { assertStage } from '../operation.ts'
import { stageAfter } from '../status/next-step.ts'
import { worstVerdict } from './bundle.ts'
import type { Placed } from './commit.ts'
import type { Evidence } from './evidence.ts'
import { checkedMessage } from './flags.ts'
import type { RunSource } from './run-source.ts'
import type { RegisteredBaseline, RegisterRequest, RegisterResult, StageMove } from './types.ts'

/** @throws usage `STAGE_NOT_HERE`, `STAGE_UNKNOWN` */
export function assertRegisterStage(project: Project, model: string, stage: string): void {
  assertStage(project, stage)
  if (stage !== PRODUCTION) return
  throw usage({
    code: 'STAGE_NOT_HERE',
    message: 'Registering never moves production: that is a step of its own, with an approval.',
    hint: `Register without --stage, then: mlops promote ${model} --to production --approve NAME`,
  })
}

export interface Wishes {
  readonly tags: readonly string[]
  readonly message: string | undefined
  readonly stage: string | undefined
}

/** Flags, completed by what the script asked for with `run.register(…)`. */
export function wishesOf(
  ctx: Context,
  project: Project,
  request: RegisterRequest,
  given: { readonly tags: readonly string[]; readonly message: string | undefined },
  run: RunSource | undefined,
): Wishes {
  const intent = run?.intent
  if (intent === undefined) return { ...given, stage: request.stage }
  return {
    tags: checkedTags([...given.tags, ...intent.tags]),
    message: given.message ?? checkedMessage(intent.message),
    stage: request.stage ?? intendedStage(ctx, project, request.model, intent.stage),
  }
}

/** A wish that cannot be granted must not keep the version out: six hours of training may be behind it. */
function intendedStage(ctx: Context, project: Project, model: string, stage: string | undefined): string | undefined {
  if (stage === undefined) return undefined
  // A version may not enter production by registering: that needs a person.
  if (stage !== PRODUCTION && project.config.stages.includes(stage)) return stage
  const why = stage === PRODUCTION ? 'registering never moves production' : 'there is no such stage'
  ctx.warn(`the script asked for stage ${JSON.stringify(stage)} of ${model}; ${why}, so no stage was moved`)
  return undefined
}

/** Flags override what the run recorded. */
export const metricsOf = (request: RegisterRequest, run: RunSource | undefined): Manifest['metrics'] => ({
  ...run?.metrics,
  ...request.metrics,
})

export function manifestOf(
  model: string,
  files: Manifest['files'],
  evidence: Evidence,
  request: RegisterRequest,
  run: RunSource | undefined,
): Manifest {
  const { baseline, schema, testPredictions, overlap, examples, evaluate } = evidence
  return {
    format: 1,
    model,
    files,
    metrics: metricsOf(request, run),
    params: { ...run?.params, ...request.params },
    ...(baseline === null ? {} : { baseline: pinnedBaseline(baseline) }),
    ...(schema.target === undefined ? {} : { target: schema.target }),
    ...(schema.prediction === undefined ? {} : { prediction: schema.prediction }),
    data: evidence.data,
    ...(testPredictions === undefined ? {} : { testPredictions }),
    ...(overlap === undefined ? {} : { overlap: pinnedOverlap(overlap) }),
    ...(examples === undefined ? {} : { examples }),
    ...(evaluate === undefined ? {} : { evaluate }),
  }
}

function pinnedBaseline({ profile, data, segments }: RegisteredBaseline): NonNullable<Manifest['baseline']> {
  if (segments === undefined) return { profile, data }
  const { by, sha256: digest, size } = segments
  return { profile, data, segments: { by, sha256: digest, size } }
}

const pinnedOverlap = ({ rows, shared, expected }: Overlap): NonNullable<Manifest['overlap']> =>
  // A tenth of a row is enough, and does not hang on the order of a sum.
  ({ rows, shared, expected: Math.round(10 * expected) / 10 })

/** What was said of a version that exists already, and is not written: it is never dropped without a word. */
export function unkeptWords(
  model: string,
  { version, existing, tags, event }: Placed,
  said: Pick<Wishes, 'tags' | 'message'>,
): string[] {
  if (existing !== 'same content') return []
  const command = `mlops model tag ${versionName(model, version)}`
  const missing = said.tags.filter((tag) => !tags.includes(tag))
  const add = missing.map((tag) => ` --add ${shellWord(tag)}`).join('')
  return [
    ...(missing.length === 0 ? [] : [`--tag was not kept, as nothing was registered; to put it on: ${command}${add}`]),
    ...(said.message === undefined || said.message === event.body.message
      ? []
      : [
          `--message was not kept: the words of a version are those of its registration; a tag can be added: ${command} --add TAG`,
        ]),
  ]
}

export function resultOf(
  model: string,
  manifest: Manifest,
  { version, digest, event, existing, tags }: Placed,
  evidence: Evidence,
  run: RunSource | undefined,
  stage: StageMove | null,
  project: Project,
): RegisterResult {
  const held = stage === null || stage.outcome === 'refused' ? [] : [stage.stage]
  const next =
    manifest.files.length === 0
      ? `mlops model show ${versionName(model, version)}`
      : nextMove(project, model, versionName(model, version), stageAfter(project.config.stages, held) ?? PRODUCTION)
  return {
    model,
    version,
    created: existing === undefined,
    existing:
      existing === undefined
        ? null
        : { why: existing, time: event.time, by: event.actor.name, run: event.body.run?.id ?? null },
    manifest: digest,
    files: manifest.files,
    scan: worstVerdict(manifest.files),
    metrics: manifest.metrics,
    params: manifest.params,
    data: manifest.data,
    baseline: evidence.baseline,
    heldOut: evidence.heldOut,
    overlap: evidence.overlap ?? null,
    examples: manifest.examples ?? null,
    target: manifest.target ?? null,
    prediction: manifest.prediction ?? null,
    run: run?.id ?? null,
    tags,
    message: event.body.message ?? null,
    stage,
    notes: [...(run?.notes ?? []), ...evidence.notes],
    next: stage?.problem?.code === 'GATE_REFUSED' ? `mlops model show ${versionName(model, version)}` : next,
  }
}
