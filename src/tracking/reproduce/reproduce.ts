/**
 * `mlops run reproduce`: repeats a run in a place of its own and says what came out equal. `prepareReproduction` looks and
 * plans and writes nothing; `reproduce` does it, step by step, and takes everything away again that is not asked for.
 */
import { open } from 'node:fs/promises'
import type { Context } from '../../core/context.ts'
import { interrupted, notFound } from '../../core/errors.ts'
import { redactText } from '../../core/redact.ts'
import { ulid } from '../../core/ulid.ts'
import type { Project } from '../../project/config.ts'
import type { Store } from '../../store/store.ts'
import { readFacts } from '../compare/read-facts.ts'
import type { SignalSource } from '../execute/child.ts'
import { type TrackOutcome, trackCommand } from '../execute/track.ts'
import { concludeReproduction } from './conclude.ts'
import { commandIn, type Prepared, prepareEnvironment } from './environment.ts'
import { gatherFacts } from './gather.ts'
import { readOriginal } from './original.ts'
import { assertNoneOutside } from './outside-links.ts'
import { planReproduction } from './plan.ts'
import { exitOf, type Reproduction, type Step } from './result.ts'
import { layOut, makeCode, placeData, removeCommand, type Tree } from './tree.ts'
import type { Facts, ReproducePlan, ReproduceRequest } from './types.ts'
import { closeWorkshop, openWorkshop, type Workshop } from './workshop.ts'

export interface Planned {
  readonly facts: Facts
  readonly plan: ReproducePlan
}

export interface ReproduceHooks {
  /** After each step, so that somebody who waits sees where the time goes. */
  readonly onStep?: (step: Step) => void
  /** As in `TrackRequest`. */
  readonly stdoutTo: 'stdout' | 'stderr'
  readonly foreground: boolean
  /** Those of the process while the command runs; otherwise `ctx.signal` counts. */
  readonly signals: SignalSource
}

/** Looks and plans; writes nothing. @throws notFound, usage, failed for a run that cannot be meant */
export async function prepareReproduction(
  ctx: Context,
  project: Project,
  store: Store,
  request: ReproduceRequest,
): Promise<Planned> {
  const original = await readOriginal(ctx, store, request.reference)
  const facts = await gatherFacts(ctx, project, store, original, request)
  return { facts, plan: planReproduction(facts) }
}

/** @throws notFound `REPRODUCTION_INCOMPLETE` with all that is missing; failed for a step that fails; interrupted */
export async function reproduce(
  ctx: Context,
  project: Project,
  store: Store,
  request: ReproduceRequest,
  { facts, plan }: Planned,
  hooks: ReproduceHooks,
): Promise<Reproduction> {
  assertComplete(plan)
  assertNoneOutside(facts.code.outside, request.allowOutside)
  // That nothing was declared matters only where the command misses something; then it is said.
  for (const risk of plan.risks) if (!risk.startsWith('The run declared no data')) ctx.warn(risk)
  const top = facts.code.top ?? project.root
  const workshop = await openWorkshop(ctx, top)
  let kept = false
  try {
    const work = new Work(ctx, project, store, facts, workshop, hooks)
    const tree = await work.makeTree(1)
    const prepared = await work.step('environment', async () => {
      const made = await prepareEnvironment(ctx, facts, tree, workshop)
      return [made, made.detail]
    })
    const outcome = await work.run('run', tree, prepared)
    const again = request.twice ? await work.run('again', await work.makeTree(2), prepared) : undefined
    if (request.keep) {
      await workshop.keep()
      kept = true
    }
    const result = await work.step('compare', async () => {
      const reproduction = await readFacts(ctx, store, outcome.runId)
      const tail = await lastLines(store, outcome.runId)
      const concluded = await concludeReproduction(ctx, store, {
        ...{ facts, plan, request, reproduction, tail, tree, prepared, scratch: workshop.root },
        again: again === undefined ? null : await readFacts(ctx, store, again.runId),
      })
      return [concluded, concluded.verdict, exitOf(concluded.verdict) === 'ok']
    })
    await annotate(ctx, store, facts, result)
    const place = {
      worktree: tree.mirror,
      environment: prepared.folder ?? null,
      remove: removeCommand(tree, workshop.root),
    }
    return { ...result, steps: work.steps, kept: kept ? place : null }
  } finally {
    if (!kept) {
      ctx.progress?.('cleaning up')
      await closeWorkshop(ctx, workshop, top)
    }
  }
}

/** The steps of one reproduction, timed. */
class Work {
  readonly steps: Step[] = []
  readonly #ctx: Context
  readonly #project: Project
  readonly #store: Store
  readonly #facts: Facts
  readonly #workshop: Workshop
  readonly #hooks: ReproduceHooks

  constructor(ctx: Context, project: Project, store: Store, facts: Facts, workshop: Workshop, hooks: ReproduceHooks) {
    this.#ctx = ctx
    this.#project = project
    this.#store = store
    this.#facts = facts
    this.#workshop = workshop
    this.#hooks = hooks
  }

  async step<T>(name: string, work: () => Promise<readonly [made: T, detail: string, ok?: boolean]>): Promise<T> {
    stopIfAsked(this.#ctx)
    const started = this.#ctx.now().getTime()
    try {
      const [made, detail, ok = true] = await work()
      const step = { name, detail, seconds: Math.max(0, this.#ctx.now().getTime() - started) / 1000, ok }
      this.steps.push(step)
      this.#hooks.onStep?.(step)
      return made
    } catch (error) {
      stopIfAsked(this.#ctx)
      throw error
    }
  }

  async makeTree(number: 1 | 2): Promise<Tree> {
    const { original, data } = this.#facts
    const tree = layOut(this.#project, this.#facts, this.#workshop, number)
    const { git } = original.start
    await this.step('code', async () => {
      await makeCode(this.#ctx, this.#store, this.#facts, tree, this.#workshop.root)
      const files = git?.patch?.files.length ?? 0
      const changed = files === 0 ? '' : ` with ${files} uncommitted ${files === 1 ? 'file' : 'files'}`
      return [undefined, `commit ${git?.commit?.slice(0, 12) ?? 'none'}${changed}`]
    })
    if (data.length > 0) {
      await this.step('data', async () => {
        await placeData(this.#ctx, this.#store, this.#facts, tree, this.#workshop)
        return [undefined, data.map(({ name, from }) => `${name} (${from})`).join(', ')]
      })
    }
    return tree
  }

  async run(name: string, tree: Tree, prepared: Prepared): Promise<TrackOutcome> {
    const { start, facts: recorded } = this.#facts.original
    const { command, env } = commandIn(this.#ctx, this.#facts, tree, prepared)
    return await this.step(name, async () => {
      const outcome = await trackCommand(
        runContext(this.#ctx, tree, env),
        mirroredProject(this.#project, tree),
        this.#store,
        {
          command,
          model: start.model,
          data: start.data.map(({ name, path }) => ({ name, path: path.replace(tree.top, tree.mirror) })),
          params: start.params,
          tags: [],
          artifacts: recorded.artifacts.map(({ path }) => path),
          seed: start.seed,
          snapshot: false,
          reproduces: start.id,
          stdoutTo: this.#hooks.stdoutTo,
          foreground: this.#hooks.foreground,
          signals: this.#hooks.signals,
        },
      )
      if (outcome.end.status === 'interrupted') throw stopped()
      return [
        outcome,
        `run ${outcome.runId} ${outcome.end.status}`,
        ['finished', recorded.status].includes(outcome.end.status),
      ]
    })
  }
}

/** While the command runs, signals go to it; a note that an artifact is not there is what the table says. */
function runContext(ctx: Context, tree: Tree, env: Context['env']): Context {
  const { signal: _, progress: __, ...rest } = ctx
  const warn = (message: string): void => {
    if (!/^artifact .* was not recorded: (?:there is no such file|it was not written)/.test(message)) ctx.warn(message)
  }
  return { ...rest, cwd: tree.cwd, env, warn }
}

const mirroredProject = (project: Project, tree: Tree): Project => ({ ...project, root: tree.root })

async function annotate(ctx: Context, store: Store, { original }: Facts, result: Omit<Reproduction, 'steps' | 'kept'>) {
  const { verdict, reproduction } = result
  if (!original.inStore || verdict === 'failed' || verdict === 'nothing to compare') return
  const now = ctx.now()
  await store.runs.annotate({
    ...{ format: 1, id: ulid(now.getTime()), run: original.start.id, actor: ctx.actor, time: now.toISOString() },
    ...{ kind: 'reproduced', by: reproduction.run, verdict },
  })
}

function assertComplete({ run, missing }: ReproducePlan): void {
  const [first, ...more] = missing
  if (first === undefined) return
  throw notFound({
    code: 'REPRODUCTION_INCOMPLETE',
    message: `Run ${run} cannot be reproduced here: ${more.length === 0 ? 'one thing is' : `${missing.length} things are`} missing. Nothing was run.`,
    hint: first.mend,
    // The hint is that of the first.
    details: { problems: [first.why, ...more.map(({ why, mend }) => `${why} ${mend}`)], missing },
  })
}

function stopIfAsked({ signal }: Context): void {
  if (signal?.aborted === true) throw stopped()
}

const stopped = () =>
  interrupted({ code: 'INTERRUPTED', message: 'Interrupted; what was made for the reproduction was taken away again.' })

const TAIL_BYTES = 8_192
const TAIL_LINES = 15

async function lastLines(store: Store, run: string): Promise<string[]> {
  const file = await open(`${store.root}/runs/${run}/output.log`, 'r').catch(() => undefined)
  if (file === undefined) return []
  try {
    const { size } = await file.stat()
    const length = Math.min(size, TAIL_BYTES)
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length)
    const lines = buffer.toString('utf8').split(/\r?\n/)
    return lines
      .slice(length < size ? 1 : 0)
      .filter((line) => line.trim() !== '')
      .slice(-TAIL_LINES)
      .map((line) => redactText(line).slice(0, 400))
  } finally {
    await file.close()
  }
}
