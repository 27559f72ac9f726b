/**
 * Waiting for a run: until it shows up, and until it has ended. A run that is not waited for any longer goes on by
 * itself; nothing here ever stops one.
 */
import { describeDuration } from '../../project/duration.ts'
import { type Client, GitHubProblem } from './client.ts'
import { findRun, lookAtRun, type Run, type Search } from './runs.ts'
import { statusWords } from './words.ts'

/** Milliseconds between two looks for a run that is not listed yet; the last one again and again. */
const APPEARS = [1_000, 2_000, 3_000, 5_000]
/** Milliseconds between two looks at a run: half as long again each time, as long as nothing changes. */
const FIRST_INTERVAL = 5_000
const LONGEST_INTERVAL = 30_000
/** Milliseconds during which GitHub may give no answer before waiting ends: longer than most of its incidents. */
const LONGEST_OUTAGE = 15 * 60_000
/** Milliseconds that one look may take beyond the end of waiting. */
const A_FEW_TRIES = 10_000
/** Milliseconds after which a run that is not found does not exist any more; a new one may be unknown at first. */
const UNKNOWN_AT_FIRST = 60_000

/** @returns the run, or undefined when it did not show up until `search.until`. At least one look. @throws GitHubProblem */
export async function awaitRun(client: Client, search: Search): Promise<Run | undefined> {
  for (let looks = 0; ; looks++) {
    const run = await findRun(client, search)
    if (run !== undefined) return run
    const pause = APPEARS[Math.min(looks, APPEARS.length - 1)] ?? 0
    if (client.ctx.now().getTime() + pause > search.until) return undefined
    client.ctx.progress?.('GitHub Actions: waiting for the run to show up')
    await client.sleep(pause)
  }
}

export type Watched =
  | { readonly kind: 'ended'; readonly run: Run }
  | { readonly kind: 'timeout' | 'interrupted'; readonly run: Run | undefined }
  | { readonly kind: 'unreachable'; readonly run: Run | undefined; readonly problem: string }
  | { readonly kind: 'gone' }

export interface WatchOptions {
  readonly id: number
  /** Milliseconds since 1970. */
  readonly until: number
  readonly say?: ((line: string) => void) | undefined
}

/** Looks at the run until it has ended. Never throws for what GitHub answers. */
export async function watchRun(client: Client, { id, until, say }: WatchOptions): Promise<Watched> {
  const { ctx } = client
  const began = ctx.now().getTime()
  let interval = FIRST_INTERVAL
  let etag: string | undefined
  let run: Run | undefined
  let lastAnswer = began
  for (;;) {
    let notBefore = 0
    try {
      const look = await lookAtRun(client, id, etag, Math.max(until, ctx.now().getTime() + A_FEW_TRIES))
      ;({ etag, notBefore } = look)
      lastAnswer = ctx.now().getTime()
      if (look.run !== undefined) {
        if (look.run.status !== run?.status) {
          say?.(`run ${id}: ${statusWords(look.run.status)}`)
          interval = FIRST_INTERVAL
        }
        run = look.run
        if (run.status === 'completed') return { kind: 'ended', run }
      }
    } catch (error) {
      const ending = afterProblem(error, run, ctx.now().getTime(), { began, lastAnswer })
      if (ending !== undefined) return ending
      // Who asks during a limit is limited for longer.
      notBefore = error instanceof GitHubProblem ? (error.facts.pause ?? 0) : 0
    }
    const now = ctx.now().getTime()
    if (now >= until) return { kind: 'timeout', run }
    ctx.progress?.(`GitHub Actions: ${statusWords(run?.status ?? 'queued')} for ${describeDuration(now - began)}`)
    try {
      await client.sleep(Math.min(Math.max(interval, notBefore), until - now))
    } catch (error) {
      if (error instanceof GitHubProblem) return { kind: 'interrupted', run }
      throw error
    }
    interval = Math.min(Math.round(interval * 1.5), LONGEST_INTERVAL)
  }
}

/** @returns how waiting ends, or undefined when it goes on */
function afterProblem(
  error: unknown,
  run: Run | undefined,
  now: number,
  { began, lastAnswer }: { readonly began: number; readonly lastAnswer: number },
): Watched | undefined {
  if (!(error instanceof GitHubProblem)) throw error
  const { kind, status } = error.facts
  if (kind === 'interrupted') return { kind, run }
  if (status === 404) return now - began < UNKNOWN_AT_FIRST && run === undefined ? undefined : { kind: 'gone' }
  const isPassing = kind === 'server' || kind === 'network' || kind === 'limited'
  if (isPassing && now - lastAnswer < LONGEST_OUTAGE) return undefined
  return { kind: 'unreachable', run, problem: error.message }
}
