/**
 * What a rollout event may say, given the stages before it, and how a rollout ended. Pure. The fold itself is in
 * `fold.ts`; whether a rollout should begin, go on or end is decided in `src/lifecycle/` and `src/rollout/`.
 */
import type { EventDraft, RolloutBody, RolloutEntry, Stages } from './events.ts'

/** Why these are no weights of a rollout, as the end of a sentence; undefined when they are. */
export function stepsProblem(steps: readonly number[]): string | undefined {
  if (steps.length < 2) return 'a rollout has at least two steps, the last being 100'
  if (steps.some((step) => !Number.isFinite(step) || step <= 0 || step > 100)) {
    return 'every step is a percentage above 0 and at most 100'
  }
  if (steps.some((step, index) => index > 0 && step <= (steps[index - 1] ?? 0))) return 'the steps must ascend'
  return steps.at(-1) === 100 ? undefined : 'the last step must be 100: there the stage moves'
}

/** Why this event cannot follow these stages; undefined when it can, and for events that are about no rollout. */
export function rolloutProblem(before: Stages, draft: Pick<EventDraft, 'type' | 'body'>): string | undefined {
  const event = draft as EventDraft
  if (event.type === 'rollout') return bodyProblem(before, event.body)
  if (event.type !== 'promote' || event.body.rollout === undefined) return undefined
  const { stage, version, rollout } = event.body
  const running = entryOf(before, stage)?.rollout
  if (running?.start !== rollout) return `it completes the rollout of event ${rollout}, which is not going on`
  return running.version === version ? undefined : `it completes a rollout of version ${running.version}`
}

function bodyProblem(before: Stages, body: RolloutBody): string | undefined {
  const { stage, version, from, action, weight, steps } = body
  const entry = entryOf(before, stage)
  if (entry === undefined) return `no version holds ${stage}`
  if (entry.version !== from) return `version ${entry.version} holds ${stage}, not version ${from}`
  if (action === 'start') return startProblem(body, entry.rollout, version === from)
  const running = entry.rollout
  if (running === undefined) return `no rollout is going on in ${stage}`
  if (running.version !== version) return `the rollout in ${stage} is one of version ${running.version}`
  if (running.steps.join() !== steps.join()) return 'its steps are not those that the rollout began with'
  if (action === 'abort') return weight === 0 ? undefined : 'no traffic is left to a version whose rollout is aborted'
  const isStep = steps.includes(weight) && weight > running.weight && weight < 100
  return isStep ? undefined : `${weight} is no later step of ${steps.join(', ')}`
}

function startProblem(
  { weight, steps, gate, stage }: RolloutBody,
  running: RolloutEntry | undefined,
  isHolder: boolean,
): string | undefined {
  if (running !== undefined) return `a rollout is going on in ${stage} already`
  if (isHolder) return `its version holds ${stage} already`
  if (gate?.verdict !== 'pass') return 'no gate let its version in'
  return stepsProblem(steps) ?? (weight === steps[0] ? undefined : `it does not begin with its first step`)
}

/**
 * The rollout of a stage that an event gave up: it was going on before and is not any more, and its version does not
 * hold the stage because of it.
 */
export function givenUpRollout(before: Stages | undefined, after: Stages, stage: string): RolloutEntry | undefined {
  const running = before === undefined ? undefined : entryOf(before, stage)?.rollout
  if (running === undefined) return undefined
  const now = entryOf(after, stage)
  return now?.rollout === undefined && now?.version !== running.version ? running : undefined
}

const entryOf = (stages: Stages, stage: string) => (Object.hasOwn(stages, stage) ? stages[stage] : undefined)
