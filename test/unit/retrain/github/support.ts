/** A project in a temp folder, a clock that only waiting moves, and requests against the receiver that is GitHub. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Context } from '../../../../src/core/context.ts'
import type { Project } from '../../../../src/project/config.ts'
import { defaultConfig } from '../../../../src/project/config-read.ts'
import type { Wire } from '../../../../src/retrain/github/client.ts'
import type { DispatchRequest, GitHubJob, RunIdentity } from '../../../../src/retrain/github/types.ts'
import { type FakeGitHub, type FakeOptions, fakeGitHub, TOKEN } from '../../../support/github.ts'

export const CORRELATION = '01JZ0000000000000000000ABC'

export interface World {
  readonly hub: FakeGitHub
  readonly ctx: Context
  readonly project: Project
  readonly wire: Wire
  readonly root: string
  /** Milliseconds that were waited for, one entry per pause. */
  readonly pauses: number[]
  readonly warnings: string[]
  readonly said: string[]
  readonly seen: RunIdentity[]
  readonly time: { now: number }
  /** Once so many milliseconds have been waited for. */
  at(milliseconds: number, what: () => void): void
  request(part?: Partial<Omit<DispatchRequest, 'job'>> & { readonly job?: Partial<GitHubJob> }): DispatchRequest
  close(): Promise<void>
}

export interface WorldOptions extends Omit<FakeOptions, 'now'> {
  readonly env?: Record<string, string>
  readonly signal?: AbortSignal
  /** Of `.github/workflows/retrain.yml` in the checkout. */
  readonly local?: string
}

export async function world({ env, signal, local, ...options }: WorldOptions = {}): Promise<World> {
  const time = { now: Date.parse('2026-06-10T08:00:00.000Z') }
  const began = time.now
  const hub = await fakeGitHub({ ...options, now: () => new Date(time.now) })
  const root = mkdtempSync(join(tmpdir(), 'mlops-github-'))
  if (local !== undefined) {
    mkdirSync(join(root, '.github/workflows'), { recursive: true })
    writeFileSync(join(root, '.github/workflows/retrain.yml'), local)
  }
  const later: { readonly at: number; readonly what: () => void }[] = []
  const pauses: number[] = []
  const warnings: string[] = []
  const said: string[] = []
  const seen: RunIdentity[] = []
  return {
    hub,
    root,
    pauses,
    warnings,
    said,
    seen,
    time,
    ctx: {
      cwd: root,
      env: {
        PATH: process.env.PATH,
        GITHUB_API_URL: hub.api,
        GITHUB_REPOSITORY: 'acme/ml',
        MLOPS_GITHUB_TOKEN: TOKEN,
        ...env,
      },
      actor: { name: 'ada@laptop', origin: 'local' },
      tool: 'mlops 0.0.0',
      now: () => new Date(time.now),
      warn: (message) => warnings.push(message),
      ...(signal === undefined ? {} : { signal }),
    },
    project: { root, storeRoot: join(root, '.mlops'), config: defaultConfig() },
    wire: {
      timeout: 2_000,
      random: () => 0,
      sleep: async (milliseconds, stop) => {
        stop?.throwIfAborted()
        pauses.push(milliseconds)
        time.now += milliseconds
        for (const due of later.filter(({ at }) => at <= time.now)) {
          later.splice(later.indexOf(due), 1)
          due.what()
        }
        stop?.throwIfAborted()
      },
    },
    at: (milliseconds, what) => later.push({ at: began + milliseconds, what }),
    request: ({ job, ...part } = {}) => ({
      model: 'churn-model',
      correlation: CORRELATION,
      reason: 'inputs drifted',
      wait: true,
      onRun: (run) => void seen.push(run),
      say: (line) => void said.push(line),
      ...part,
      job: { type: 'github_actions', workflow: 'retrain.yml', inputs: {}, timeout: 6 * 3_600_000, ...job },
    }),
    close: async () => {
      await hub.close()
      rmSync(root, { recursive: true, force: true })
    },
  }
}
