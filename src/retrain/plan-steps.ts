/** The steps of a retraining in words, with those that an earlier process has done: what `--plan` lists. Pure. */

import { versionName } from '../core/names.ts'
import { redactText } from '../core/redact.ts'
import type { Gate } from '../project/gate-config.ts'
import type { OpenJob } from './job-records.ts'
import type { RetrainPlan } from './plan.ts'

export interface PlannedStep {
  readonly name: 'train' | 'dispatch' | 'register' | 'find' | 'validate' | 'promote' | 'tell'
  /** One line. */
  readonly what: string
  /** By the attempt that is gone on with. */
  readonly done: boolean
}

/** @param open the attempt that `plan.resume` describes */
export function plannedSteps(plan: Omit<RetrainPlan, 'steps'>, open: OpenJob | null): readonly PlannedStep[] {
  const { job, register, stage, toProduction, resume, model } = plan
  const at = resume === null ? null : open
  const registered = at?.registered ?? null
  const isTrained = resume !== null && ['register', 'validate', 'tell'].includes(resume.next)
  const entered = (name: string): boolean => at?.promoted.some((each) => each.stage === name) ?? false
  const data = job.type === 'command' ? job.data.map(({ name, path }) => `${name}=${path}`) : []
  const with_ = [
    ...(register.baseline === null ? [] : [`baseline ${register.baseline}`]),
    ...(register.test === null ? [] : [`test ${register.test}`]),
  ]
  const candidate = registered === null ? 'it' : versionName(model, registered.version)
  const steps: PlannedStep[] =
    job.type === 'command'
      ? [
          { name: 'train', what: [redactText(job.command), ...data].join('  '), done: isTrained },
          {
            name: 'register',
            what: with_.length === 0 ? 'the result as the next version' : with_.join(', '),
            done: registered !== null,
          },
        ]
      : [
          { name: 'dispatch', what: `${job.workflow} on GitHub Actions`, done: at?.dispatch != null },
          { name: 'find', what: 'the version that it registered', done: registered !== null },
        ]
  const isValidated = at !== null && (at.refused !== null || at.promoted.length > 0)
  steps.push(
    { name: 'validate', what: [...rulesOf(plan.validation), `the gate of ${stage}`].join(', '), done: isValidated },
    { name: 'promote', what: `${candidate} to ${stage}`, done: entered(stage) },
  )
  if (toProduction)
    steps.push({ name: 'promote', what: `${candidate} to production, if that was earned`, done: entered('production') })
  const { notifyOnFail, notifyOnPass } = plan
  const told = [
    ...(notifyOnFail.length === 0 ? [] : [`${notifyOnFail.join(', ')} if it is refused`]),
    ...(notifyOnPass.length === 0 ? [] : [`${notifyOnPass.join(', ')} if it passes`]),
  ]
  if (told.length > 0) steps.push({ name: 'tell', what: told.join('; '), done: at?.told ?? false })
  return steps
}

/** A gate in words, briefly. */
export function rulesOf({ min, max, compareTo, approval, slices, fairness, external, health }: Gate): string[] {
  return [
    ...Object.entries(min).map(([name, bound]) => `${name} >= ${bound}`),
    ...Object.entries(max).map(([name, bound]) => `${name} <= ${bound}`),
    ...(compareTo === undefined ? [] : [`not worse than ${compareTo}`]),
    ...slices.map(({ by }) => `bounds by ${by}`),
    ...fairness.map(({ by }) => `fair by ${by}`),
    ...external.map(({ name }) => name),
    ...(health === 'required' ? ['healthy'] : []),
    ...(approval === 0 ? [] : [`${approval} to approve`]),
  ]
}
