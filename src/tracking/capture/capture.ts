/**
 * The slow facts of a run (git, interpreter, declared data), gathered beside the running command, and the quick ones.
 * Neither run.json nor the command waits long for a slow one: what comes too late is written at the end.
 */
import { join, relative } from 'node:path'
import type { Context } from '../../core/context.ts'
import { redactArguments } from '../../core/redact.ts'
import type { Project } from '../../project/config.ts'
import { gitFacts } from '../../project/git.ts'
import type { GitPatch } from '../../project/git-patch.ts'
import type { DeclaredData, GitFacts, HostFacts, PythonFacts, RunEnd, SubmoduleFacts } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'
import { type DataRequest, type KeptInAll, recordAllData } from './data-record.ts'
import type { DataSource } from './declared-data.ts'
import { hostFacts } from './environment.ts'
import { askGpus } from './gpus.ts'
import type { InterpreterGuess } from './interpreter.ts'
import { outputsOfRuns } from './outputs.ts'
import { lookAgain, lookAtPython, type PythonLook } from './python-facts.ts'

export interface SlowFacts {
  readonly git?: GitFacts
  readonly python?: PythonFacts
  readonly data?: readonly DeclaredData[]
  /** Only where it has GPUs. */
  readonly host?: HostFacts
}

export interface Capture {
  /** What is known so far; `data` only when all of it is. */
  known(): SlowFacts
  /** Resolves when everything is known that anybody waits for, or after `milliseconds`. */
  within(milliseconds: number): Promise<void>
  /** Nobody waits for the GPUs. */
  readonly all: Promise<void>
  /** To be called once, when the command has ended: resolves when all is known, and `notes` are complete. */
  afterCommand(): Promise<void>
  /** In words: no git, no answer, data that went away. */
  readonly notes: string[]
  /** What snapshots of the data took, once `all` has resolved. */
  kept(): KeptInAll | undefined
  /** The command has ended: whoever waits for the rest is told how far it is. */
  showProgress(): void
}

export interface CaptureRequest {
  readonly command: readonly string[]
  readonly cwd: string
  /** The environment of the command. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly data: readonly DataSource[]
  /** How the data was before the command started. */
  readonly start?: DataRequest['start']
  /** Patterns of what the command writes, relative to `cwd`. */
  readonly artifacts: readonly string[]
  /** Hash every file of the data, also those that look unchanged. */
  readonly rehash: boolean
  /** Keep the bytes of the data. */
  readonly snapshot: boolean
  /** Folder of the Python client, whose probe asks the interpreter. */
  readonly client: string | undefined
  readonly signal: AbortSignal
  /** Of the running command. */
  readonly pid: number
  /** The interpreter that it will most likely use. */
  readonly guess: Promise<InterpreterGuess>
}

export function startCapture(ctx: Context, project: Project, store: Store, request: CaptureRequest): Capture {
  const known: { git?: GitFacts; python?: PythonFacts; data?: readonly DeclaredData[]; host?: HostFacts } = {}
  const notes: string[] = []
  const python = { ...request, root: project.root }
  let look: PythonLook | undefined
  let kept: KeptInAll | undefined
  let isShown = false
  const whyNot = (error: unknown): string => (request.signal.aborted ? 'stopped before it was done' : wordsOf(error))
  const guarded = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      notes.push(`${what} could not be recorded: ${whyNot(error)}`)
    }
  }
  const all = Promise.all([
    // First what takes longest.
    guarded('the interpreter', async () => {
      look = await lookAtPython(store, python, await request.guess)
      if (look.facts !== undefined) known.python = look.facts
    }),
    guarded('git', async () => {
      const facts = await captureGit(ctx, project, store, request)
      if ('reason' in facts) notes.push(`no git facts: ${facts.reason}`)
      else known.git = facts
    }),
    guarded('declared data', async () => {
      const progress = (...step: Parameters<NonNullable<Context['progress']>>) => isShown && ctx.progress?.(...step)
      const found = await recordAllData(store, request.data, { ...request, progress }, notes, ({ name }, error) =>
        notes.push(`data ${name} could not be recorded: ${whyNot(error)}`),
      )
      known.data = found.data
      kept = found.kept
    }),
  ]).then(() => {})
  void askGpus(request.cwd, request.env, request.signal).then((gpus) => {
    if (gpus.length > 0) known.host = { ...hostFacts(), gpus }
  })
  return {
    known: () => ({ ...known }),
    async within(milliseconds) {
      let timer: NodeJS.Timeout | undefined
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, milliseconds)
      })
      await Promise.race([all, patience])
      clearTimeout(timer)
    },
    all,
    async afterCommand() {
      await all
      await guarded('the interpreter', async () => {
        look = (look && (await lookAgain(store, python, look))) ?? look
        if (look?.facts !== undefined) known.python = look.facts
      })
      notes.push(...(look?.notes ?? []))
    },
    notes,
    kept: () => kept,
    showProgress() {
      isShown = true
    },
  }
}

/** What became known only after `written` stood in run.json. */
export function lateFacts(written: SlowFacts, final: SlowFacts): RunEnd['late'] {
  const late = {
    ...(written.git === undefined && final.git !== undefined ? { git: final.git } : {}),
    ...(final.python !== undefined && final.python !== written.python ? { python: final.python } : {}),
    ...(written.data === undefined && final.data !== undefined ? { data: final.data } : {}),
    ...(written.host === undefined && final.host !== undefined ? { host: final.host } : {}),
  }
  return Object.keys(late).length === 0 ? undefined : late
}

/** Relative to the project, `.` for its root; absolute outside of it. */
export function recordedCwd(project: Project, cwd: string): string {
  const inside = relative(project.root, cwd)
  if (inside === '') return '.'
  return inside.startsWith('..') ? cwd : inside.split('\\').join('/')
}

/** Well-formed and without secrets: an argument may hold any bytes. */
export const recordedCommand = (command: readonly string[]): string[] =>
  redactArguments(command.map((word) => word.toWellFormed()))

async function captureGit(
  ctx: Context,
  project: Project,
  store: Store,
  { cwd, artifacts }: Pick<CaptureRequest, 'cwd' | 'artifacts'>,
): Promise<GitFacts | { readonly reason: string }> {
  const outputs = outputsOfRuns(project, store, { cwd, artifacts })
  const result = await gitFacts(cwd, { env: ctx.env, exclude: [store.root, join(project.root, '.mlops')], outputs })
  if (result.kind === 'none') return { reason: result.reason }
  const { patch, submodules, notes, ...facts } = result.facts
  const modules: SubmoduleFacts[] = []
  for (const { patch: own, ...each } of submodules ?? []) modules.push({ ...each, ...(await pinned(store, own)) })
  return {
    ...facts,
    ...(await pinned(store, patch)),
    ...(notes.length === 0 ? {} : { notes }),
    ...(modules.length === 0 ? {} : { submodules: modules }),
  }
}

async function pinned(store: Store, patch: GitPatch | undefined): Promise<Pick<GitFacts, 'patch'>> {
  return patch === undefined ? {} : { patch: { ...(await store.objects.put(patch.bytes)), files: patch.files } }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
