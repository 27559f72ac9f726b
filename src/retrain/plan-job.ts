/** The job of a plan: what is run and where, the stage it leads to, and what is wrong with a policy that says neither. Pure. */

import { usage } from '../core/errors.ts'
import type { ModelConfig } from '../project/config.ts'
import type { Job, Policy } from '../project/policy.ts'
import { commandWords } from './command-line.ts'

export type PlannedJob =
  | {
      readonly type: 'command'
      /** As it is written. */
      readonly command: string
      readonly words: readonly string[]
      readonly data: readonly { readonly name: string; readonly path: string }[]
    }
  | Extract<Job, { type: 'github_actions' }>

export interface JobFacts {
  readonly config: ModelConfig
  readonly declaredData: Readonly<Record<string, string>>
  readonly platform: string
}

/** @throws usage `TRAIN_COMMAND_MISSING` */
export function planJob({ job, model, file }: Policy, { config, declaredData, platform }: JobFacts): PlannedJob {
  if (job.type === 'github_actions') return job
  const command = job.command ?? config.train
  if (command === undefined) {
    const where = file === undefined ? '' : ` nor under policy.job of ${file}`
    throw usage({
      code: 'TRAIN_COMMAND_MISSING',
      message: `It is not known how ${model} is trained: there is no train: under models.${model} of mlops.yaml${where}.`,
      hint: `Add to mlops.yaml, under models: ${model}: the line  train: python train.py`,
      details: { model },
    })
  }
  const data = Object.entries(job.data ?? declaredData).map(([name, path]) => ({ name, path }))
  return { type: 'command', command, words: commandWords(command, platform), data }
}

/**
 * The stage that a candidate enters first. `staging` of a policy that names no stage may not exist in this project:
 * then the first that is not production. A policy that may promote to production goes by way of that stage too.
 * @throws usage `STAGE_UNKNOWN`
 */
export function goal({ promoteOnPass, file }: Policy, stages: readonly string[]): string {
  const other = stages.includes('staging') ? 'staging' : stages.find((stage) => stage !== 'production')
  if (promoteOnPass === 'production') return other ?? 'production'
  if (stages.includes(promoteOnPass)) return promoteOnPass
  if (other !== undefined && file === undefined) return other
  throw usage({
    code: 'STAGE_UNKNOWN',
    message: `A retrained version would enter ${promoteOnPass}, but the stages of mlops.yaml are ${stages.join(', ')}.`,
    hint: 'Add it to stages: in mlops.yaml, or name another in promote_on_pass',
    details: { stage: promoteOnPass, stages },
  })
}

export function reasonMissing({ model, file }: Policy) {
  const why =
    file === undefined
      ? 'there is no retraining-policy.yaml, so a retraining is a human decision'
      : `the trigger of ${file} is manual`
  return usage({
    code: 'REASON_MISSING',
    message: `Why is ${model} to be retrained? A reason is needed: ${why}.`,
    hint: `mlops retrain ${model} --reason "new labels of June"`,
    details: { model },
  })
}
