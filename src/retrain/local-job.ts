/** The candidate of a job of type command: train here as a run, then register what it gave. What is done already is not done again. */

import type { Context } from '../core/context.ts'
import { failed, interrupted, isMlopsError } from '../core/errors.ts'
import { redactText } from '../core/redact.ts'
import { ulid } from '../core/ulid.ts'
import type { RunEnd } from '../store/run-records.ts'
import type { Candidate, Job } from './job.ts'
import type { PlannedJob } from './plan.ts'
import { outputTail } from './steps.ts'

type Say = (number: number, what: string) => void
type Command = Extract<PlannedJob, { type: 'command' }>

/** @throws failed `JOB_FAILED`, `JOB_KILLED`; interrupted; conflict `RETRAIN_SUPERSEDED`; whatever a step throws */
export async function candidateHere(job: Job, say: Say): Promise<Candidate> {
  const { plan, claim, open, reached } = job
  if (plan.job.type !== 'command') throw new RangeError('this job runs elsewhere')
  const { run, metrics } = await trained(job, plan.job, say)
  reached.run = run
  reached.isTrained = true
  if (open?.registered?.run === run) {
    const { version } = open.registered
    return { version, manifest: await manifestOf(job, version), run: { id: run, metrics }, workflow: null }
  }
  say(2, `register the result of run ${run}`)
  const earlier = open === null ? undefined : await registeredBefore(job, run)
  const registered = earlier ?? (await register(job, run))
  await grantIntents(job, run, registered.version)
  await claim.step({ name: 'registered', run, version: registered.version })
  return { ...registered, run: { id: run, metrics }, workflow: null }
}

async function trained(job: Job, command: Command, say: Say): Promise<{ run: string; metrics: RunEnd['metrics'] }> {
  const { plan, claim, open, reached, store } = job
  const last = open?.trained ?? open?.trainings.at(-1)?.run
  const isOver = plan.resume !== null && !['train', 'give up'].includes(plan.resume.next)
  if (plan.resume?.next === 'give up') {
    reached.run = plan.resume.run
    throw killedTooOften(plan.resume.killed, plan.resume.run)
  }
  if (isOver && last !== undefined) {
    const { end } = await store.runs.read(last)
    reached.run = last
    if (end === undefined) throw new RangeError(`run ${last} has no end`)
    await assertEndedWell(job, last, end)
    if (open?.trained !== last) await claim.step({ name: 'trained', run: last })
    return { run: last, metrics: end.metrics }
  }
  if (plan.resume?.run != null) job.ctx.warn(`Run ${plan.resume.run} of this retraining was killed; it trains again.`)
  say(1, `train: ${redactText(command.command)}`)
  const run = ulid(job.ctx.now().getTime())
  await claim.step({ name: 'training', run })
  const tracked = await train(job, command, run)
  reached.run = run
  await assertEndedWell(job, run, tracked.end)
  reached.isTrained = true
  await claim.step({ name: 'trained', run })
  return { run, metrics: tracked.end.metrics }
}

async function train(
  { ctx, project, store, plan, steps, options }: Job,
  { words, data, command }: Command,
  run: string,
) {
  try {
    return await steps.train(inProject(ctx, project.root), project, store, {
      runId: run,
      command: words,
      model: plan.model,
      data,
      params: {},
      tags: ['retrain'],
      artifacts: [],
      // stdout is the result of `mlops retrain`, not of the script.
      stdoutTo: 'stderr',
      ...(options.signals === undefined ? {} : { signals: options.signals }),
    })
  } catch (error) {
    // 126 and 127 are the exit codes of `track` alone.
    if (!isMlopsError(error) || !error.code.startsWith('COMMAND_')) throw error
    const where = plan.policy === null ? `train: of ${plan.model} in mlops.yaml` : `policy.job of ${plan.policy}`
    const hint = `The command is "${redactText(command)}", from ${where}. ${error.hint ?? ''}`.trim()
    throw failed({ code: error.code, message: error.message, hint, cause: error })
  }
}

/** A process that died between registering and recording it has registered all the same. */
async function registeredBefore({ store, plan }: Job, run: string) {
  const { events } = await store.models.stateOrEmpty(plan.model)
  const event = events.findLast((each) => each.type === 'register' && each.body.run?.id === run)
  if (event?.type !== 'register') return undefined
  return { version: event.body.version, manifest: event.body.manifest }
}

async function manifestOf({ store, plan }: Job, version: number): Promise<string> {
  return (await store.models.state(plan.model)).versions[version - 1]?.manifest ?? ''
}

/** The registration that the script asked for is this one, never a second; but about stages the policy decides. */
async function register(job: Job, run: string): Promise<{ readonly version: number; readonly manifest: string }> {
  const { ctx, project, store, plan, steps } = job
  const { baseline, test } = plan.register
  const wished = (await store.runs.intents(run))
    .flatMap((each) => (each.kind === 'register' && each.model === plan.model ? [each] : []))
    .at(-1)
  const { version, manifest, notes } = await steps.register(inProject(ctx, project.root), project, store, {
    model: plan.model,
    run,
    ...(baseline === null ? {} : { baseline }),
    ...(test === null ? {} : { test }),
    carryOver: true,
    tags: [...new Set(['retrain', ...(wished?.tags ?? [])])],
    message: wished?.message ?? reasonOf(job),
    useIntent: false,
    baselineAdvice: `declare it in ${plan.policy ?? 'retraining-policy.yaml'}, under policy.job:  data: {train: PATH}`,
  })
  for (const note of notes) ctx.warn(note)
  return { version, manifest }
}

/** What the script asked for besides: a baseline. Granting it twice is granting it once. */
async function grantIntents({ ctx, project, store, plan, steps }: Job, run: string, version: number): Promise<void> {
  if ((await store.runs.intents(run)).length === 0) return
  const asked = { context: 'retrain', registered: { model: plan.model, version } } as const
  const { failures } = await steps.applyIntents(ctx, project, store, run, asked)
  for (const { message, hint } of failures) ctx.warn(`${message} ${hint}`)
}

/** Paths of the policy, and of what a run declares, are relative to the project. */
const inProject = (ctx: Context, root: string): Context => ({ ...ctx, cwd: root })

/** The same for whoever goes on with it: that of its beginning. */
export function reasonOf({ plan, claim, open }: Pick<Job, 'plan' | 'claim' | 'open'>): string {
  const { reason, trigger } = open?.begin ?? claim.begin
  return reason ?? plan.reason ?? `retrained: ${plan.resume === null ? plan.why : (trigger?.summary ?? plan.why)}`
}

async function assertEndedWell({ store, plan }: Job, run: string, end: RunEnd): Promise<void> {
  if (end.status === 'finished') return
  if (end.status === 'interrupted') {
    throw interrupted({
      code: 'INTERRUPTED',
      message: `Training was interrupted (run ${run}); nothing was registered or moved.`,
      hint: `mlops retrain ${plan.model}`,
      details: { run },
    })
  }
  const { exit, signal } = end
  const how = exit === null ? `was ended by ${signal}` : `ended with exit code ${exit}`
  const tail = await outputTail(store, run)
  const output =
    tail.length === 0 ? 'It printed nothing.' : `Its last lines:\n${tail.map((line) => `  ${line}`).join('\n')}`
  throw failed({
    code: 'JOB_FAILED',
    message: `Training ${how}; nothing was registered or moved. ${output}`,
    hint: `See the run: mlops run show ${run}`,
    details: { run, exit, output: tail },
  })
}

const killedTooOften = (times: number, run: string | null) =>
  failed({
    code: 'JOB_KILLED',
    message: `Training was killed ${times} times within the cool-down, without a word; it is not tried again by itself.`,
    hint: `Look what kills it (too little memory, a time limit): mlops run show ${run}`,
    details: { times, run },
  })
