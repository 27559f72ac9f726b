/**
 * One scaffold from end to end: where it goes, what it is made from, the plan, and carrying it out. And what a project has
 * of them. What a kind consists of is its generator's; what becomes of a file is decided in plan.ts.
 */
import { isAbsolute, join, relative, resolve } from 'node:path'
import { conflict, isMlopsError, usage } from '../core/errors.ts'
import { shellWord } from '../core/shell.ts'
import { applyPlan, type Finished, finishInterrupted } from './apply.ts'
import { findScaffolds } from './find.ts'
import { type Generator, generatorOf, type Option, type World } from './generators.ts'
import { unifiedDiff } from './merge.ts'
import { assertFolder } from './paths.ts'
import { planScaffold } from './plan.ts'
import { remembered, standingFiles } from './remember.ts'
import type { Answers, DiskFile, FileChange, ScaffoldKind, ScaffoldPlan } from './types.ts'

/** `apply` writes; `dry-run` says what would be written; `check` asks whether anything would. */
export type ScaffoldMode = 'apply' | 'dry-run' | 'check'

export interface ScaffoldRequest {
  readonly kind: ScaffoldKind
  /** As a person wrote it; undefined: where it was put before, else the kind's own folder. */
  readonly dir?: string
  readonly options: Readonly<Record<string, Option>>
  readonly mode: ScaffoldMode
  /** Put a unified diff of every change into the result. */
  readonly diff?: boolean
  /** Write files in conflict with markers in them, instead of nothing at all. */
  readonly conflicts?: boolean
}

export interface ScaffoldResult {
  readonly kind: ScaffoldKind
  /** Relative to where the person stands; absolute when it lies outside. */
  readonly folder: string
  readonly outcome: 'applied' | 'planned' | 'checked'
  readonly upToDate: boolean
  /** An earlier update had been interrupted: applying finished it, a look cannot. */
  readonly interrupted: boolean
  readonly answers: Answers
  readonly changes: readonly ScaffoldChange[]
  readonly next: readonly string[]
  /** What was guessed, left out, or could not be known. */
  readonly warnings: readonly string[]
  /** Why it does not work yet; each is explained in a warning. */
  readonly unready: readonly string[]
}

export interface ScaffoldChange {
  readonly path: string
  readonly action: FileChange['action']
  /** Of a conflict. */
  readonly why: string | null
  /** Of a conflict: lines of the file as it stands, from 1. */
  readonly lines: readonly number[]
  /** Of a change, when diffs were asked for: a unified diff. */
  readonly diff: string | null
}

/** @throws conflict `SCAFFOLD_CONFLICT` when applying would have to decide for a person: nothing is written then */
export async function scaffold(world: World, request: ScaffoldRequest): Promise<ScaffoldResult> {
  const generator = await generatorOf(request.kind)
  const folder = await folderOf(world, generator, request.dir)
  await assertFolder(folder)
  const { mode } = request
  let before = await remembered(folder, generator.kind)
  const interrupted = before.pending
  if (interrupted && mode === 'apply') {
    const finished = await finishInterrupted(folder, generator.kind, world.ctx.env)
    sayFinished(world, folder, finished)
    warnOfEdited(world, folder, finished.edited)
    before = await remembered(folder, generator.kind)
  } else if (interrupted) {
    world.ctx.warn(`An earlier update of ${shown(world, folder)} was interrupted; the next one finishes it first.`)
  }
  const made = await generator.generate(world, {
    options: request.options,
    previous: before.answers?.answers,
    folder,
    base: before.base,
  })
  const paths = [...made.files.map(({ path }) => path), ...Object.keys(before.answers?.files ?? {})]
  const standing = await standingFiles(folder, paths)
  const plan = planScaffold(folder, made, before, standing)
  if (mode === 'apply') {
    if (request.conflicts !== true) assertNoConflict(world, plan, request)
    warnOfEdited(world, folder, await applyPlan(plan, before, world.ctx.tool, request.conflicts === true))
  }
  return resultOf(world, plan, standing, request, interrupted)
}

function resultOf(
  world: World,
  plan: ScaffoldPlan,
  standing: ReadonlyMap<string, DiskFile>,
  { mode, diff }: ScaffoldRequest,
  interrupted: boolean,
): ScaffoldResult {
  return {
    kind: plan.kind,
    folder: shown(world, plan.folder),
    outcome: mode === 'apply' ? 'applied' : mode === 'check' ? 'checked' : 'planned',
    upToDate: plan.upToDate && (mode === 'apply' || !interrupted),
    interrupted,
    answers: plan.scaffold.answers,
    changes: plan.changes.map((change) => ({
      path: change.path,
      action: change.action,
      why: change.action === 'conflict' ? change.why : null,
      lines: change.action === 'conflict' ? change.lines : [],
      diff: diff === true ? diffOf(change, standing.get(change.path)) : null,
    })),
    next: plan.scaffold.next,
    warnings: plan.scaffold.warnings,
    unready: plan.scaffold.unready ?? [],
  }
}

function diffOf(change: FileChange, disk: DiskFile | undefined): string | null {
  const before = disk?.kind === 'file' ? disk.text : undefined
  if (change.action === 'remove') return unifiedDiff(change.path, before, undefined)
  if (!('content' in change) || change.content === null) return null
  return unifiedDiff(change.path, before, change.content.replaceAll('\r\n', '\n'))
}

function assertNoConflict(world: World, { folder, changes }: ScaffoldPlan, request: ScaffoldRequest): void {
  const found = changes.filter((change) => change.action === 'conflict')
  if (found.length === 0) return
  const problems = found.flatMap(({ path, why, lines }) => {
    const name = shown(world, join(folder, ...path.split('/')))
    const where = lines.length === 0 ? name : `${name}:${lines.slice(0, 5).join(', ')}${lines.length > 5 ? ' …' : ''}`
    return [`${where}: ${why}`]
  })
  const many = found.length === 1 ? 'One file' : `${found.length} files`
  throw conflict({
    code: 'SCAFFOLD_CONFLICT',
    message: `${many} cannot be brought up to date without a person, so nothing was written:`,
    hint: `Look at them: ${commandOf(request)} --diff (or write them with conflict markers: --conflicts)`,
    details: {
      problems,
      conflicts: found.map(({ path, why, lines }) => ({ path, why, lines })),
    },
  })
}

/** What was typed, as far as later runs do not know it by themselves. */
function commandOf({ kind, dir, options }: ScaffoldRequest): string {
  const model = typeof options.model === 'string' ? ` ${shellWord(options.model)}` : ''
  return `mlops scaffold ${kind}${model}${dir === undefined ? '' : ` --dir ${shellWord(dir)}`}`
}

function sayFinished(world: World, folder: string, { written, removed }: Finished): void {
  const list = (paths: readonly string[]): string =>
    paths.map((path) => shown(world, join(folder, ...path.split('/')))).join(', ')
  const did = [
    written.length === 0 ? '' : `written: ${list(written)}`,
    removed.length === 0 ? '' : `removed: ${list(removed)}`,
  ].filter((part) => part !== '')
  world.ctx.warn(
    `An earlier update of ${shown(world, folder)} had been interrupted and was finished first${did.length === 0 ? '' : ` (${did.join('; ')})`}.`,
  )
}

function warnOfEdited(world: World, folder: string, edited: readonly string[]): void {
  for (const path of edited) {
    world.ctx.warn(
      `${shown(world, join(folder, ...path.split('/')))} was changed by somebody meanwhile and was left as it is; run this again to merge it.`,
    )
  }
}

/** Where it was asked for; where it is; where it goes by default. @throws usage `SCAFFOLD_WHICH` */
async function folderOf(world: World, { kind, folder, beside }: Generator, dir: string | undefined): Promise<string> {
  if (dir !== undefined) return resolve(world.ctx.cwd, dir)
  const usual = resolve(world.project.root, folder)
  const all = await findScaffolds(world.project.root)
  const own = all.filter((found) => found.kind === kind)
  const here = own.length > 0 ? own : all.filter((found) => found.kind === beside)
  const [only, second] = here
  if (only === undefined || here.some((found) => found.folder === usual)) return usual
  if (second === undefined) return only.folder
  throw usage({
    code: 'SCAFFOLD_WHICH',
    message: `There are several ${here[0]?.kind} scaffolds here: ${here.map((found) => shown(world, found.folder)).join(', ')}.`,
    hint: `Name one: mlops scaffold ${kind} --dir ${shellWord(shown(world, only.folder))}`,
  })
}

function shown({ ctx }: World, path: string): string {
  const near = relative(ctx.cwd, path)
  return near === '' ? '.' : near.startsWith('..') || isAbsolute(near) ? path : near
}

export interface ScaffoldStatus {
  readonly kind: ScaffoldKind
  readonly folder: string
  /** Which program wrote it. */
  readonly tool: string
  readonly answers: Answers
  /** Null when it cannot be said, and `problem` says why. */
  readonly upToDate: boolean | null
  /** What an update would do, without what stays as it is. */
  readonly changes: readonly ScaffoldChange[]
  readonly problem: string | null
}

/** Every scaffold of the project, held against what would be generated now. Writes nothing. */
export async function scaffoldStatus(world: World): Promise<ScaffoldStatus[]> {
  const all: ScaffoldStatus[] = []
  for (const { kind, folder } of await findScaffolds(world.project.root)) {
    const at = { kind, folder: shown(world, folder) }
    try {
      const { answers } = await remembered(folder, kind)
      if (answers === undefined) continue
      const known = { ...at, tool: answers.tool, answers: answers.answers }
      try {
        const result = await scaffold(world, { kind, dir: folder, options: {}, mode: 'check' })
        const changes = result.changes.filter(({ action }) => !['unchanged', 'yours', 'deleted'].includes(action))
        all.push({ ...known, upToDate: result.upToDate, changes, problem: null })
      } catch (error) {
        if (!isMlopsError(error)) throw error
        all.push({ ...known, upToDate: null, changes: [], problem: error.message })
      }
    } catch (error) {
      if (!isMlopsError(error)) throw error
      all.push({ ...at, tool: '', answers: {}, upToDate: null, changes: [], problem: error.message })
    }
  }
  return all
}

/** 5 for conflicts, also those written with markers; 3 for a check that found something; else fine. */
export function exitOfScaffold({ outcome, upToDate, changes }: ScaffoldResult): { readonly exit?: 'conflict' | 'no' } {
  if (outcome === 'checked') return upToDate ? {} : { exit: 'no' }
  return changes.some(({ action }) => action === 'conflict') ? { exit: 'conflict' } : {}
}
