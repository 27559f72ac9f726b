/**
 * `mlops init`: looks (`prepareInit`), and makes what `planInit` decided (`applyInit`). Nothing that is there is ever
 * overwritten, so it can be run again and again.
 */

import { randomBytes } from 'node:crypto'
import { appendFile, lstat, mkdir, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Context } from '../core/context.ts'
import { failed, systemCode, usage } from '../core/errors.ts'
import { shellWord } from '../core/shell.ts'
import { DEFAULT_BRANCH } from '../store/git-names.ts'
import type { Project } from './config.ts'
import { detectFacts, type Facts } from './detect.ts'
import { type InitPlan, type InitStep, suggestModelName, suggestTrain } from './init-plan.ts'
import { chosenSharing, type SharingChoice } from './init-sharing.ts'
import { loadProjectHere } from './load.ts'

export { planInit, targetProblem } from './init-plan.ts'

export interface InitRequest {
  /** As the user wrote it; undefined: where they stand. */
  readonly dir?: string | undefined
  /** `--store` */
  readonly store?: string | undefined
  /** `--remote` */
  readonly remote?: string | undefined
  /** `--branch` */
  readonly branch?: string | undefined
}

export interface Prepared {
  readonly facts: Facts
  /** As it is now, when there is an mlops.yaml. */
  readonly project: Project | undefined
  /** How the store is to be shared, for `planInit`, with the text of the mlops.yaml that may have to say so. */
  readonly sharing: SharingChoice | undefined
  readonly configText: string | undefined
  /** What a prompt offers and `--yes` takes. */
  readonly suggested: { readonly model: string; readonly train: string | undefined }
}

/**
 * Looks at the folder; changes nothing.
 * @throws usage `INIT_NOT_A_FOLDER`, and what `loadProjectHere` throws for an mlops.yaml that is there
 */
export async function prepareInit(ctx: Context, request: InitRequest): Promise<Prepared> {
  const store = request.store === undefined ? undefined : resolve(ctx.cwd, request.store)
  const root = await initFolder(ctx, request.dir, store)
  const project = await loadProjectHere({ cwd: root, env: ctx.env, store })
  const here = project.file !== undefined && dirname(project.file) === root ? project : undefined
  const explicit = store !== undefined || (ctx.env.MLOPS_STORE ?? '') !== ''
  const facts = await detectFacts(ctx, root, explicit ? project.storeRoot : undefined, here?.storeRoot)
  const configured = Object.keys(here?.config.models ?? {})[0]
  const sharing = chosenSharing(request, here, DEFAULT_BRANCH)
  return {
    facts,
    project: here,
    sharing,
    configText: here?.file === undefined ? undefined : await readFile(here.file, 'utf8'),
    suggested: { model: configured ?? suggestModelName(root), train: suggestTrain(facts) },
  }
}

export interface InitResult extends Omit<InitPlan, 'steps'> {
  readonly steps: readonly Omit<InitStep, 'content'>[]
  /** `branch`: it was made, `folder`: the folder was made from it. */
  readonly joined?: 'branch' | 'folder' | 'present'
  /** False when everything was there already. */
  readonly changed: boolean
}

/** @throws failed `INIT_DENIED`; whatever `createStore` throws */
export async function applyInit(ctx: Context, plan: InitPlan): Promise<InitResult> {
  await makeFolder(plan.root)
  const done: InitStep[] = []
  let joined: InitResult['joined']
  for (const step of plan.steps) {
    if (step.what === 'store' && plan.sharing !== undefined) {
      joined = await joinBranch(ctx, plan, plan.sharing, step.path)
      done.push({ ...step, action: joined === 'present' ? 'present' : step.action })
    } else done.push(await applyStep(ctx, plan, step))
  }
  return {
    ...plan,
    ...(joined === undefined ? {} : { joined }),
    steps: done.map(({ content: _, ...step }) => step),
    changed: done.some((step) => step.action !== 'present') || (joined ?? 'present') !== 'present',
  }
}

async function joinBranch(
  ctx: Context,
  { root, shared }: InitPlan,
  sharing: SharingChoice,
  store: string,
): Promise<NonNullable<InitResult['joined']>> {
  const { joinStore } = await import('../store/git-join.ts')
  const { env, actor, now, progress } = ctx
  const { what, notes } = await joinStore(
    store,
    { ...sharing, at: root },
    { env, actor, now, shared, mayCreate: true, ...(progress === undefined ? {} : { progress }) },
  )
  for (const note of notes) ctx.warn(note)
  return what
}

async function applyStep(ctx: Context, plan: InitPlan, step: InitStep): Promise<InitStep> {
  if (step.what === 'store') {
    const { createStore } = await import('../store/create.ts')
    // Also for a store that is there: an interrupted `init` is completed, `--shared` is applied.
    const { created, notes } = await createStore(step.path, { shared: plan.shared, env: ctx.env })
    for (const note of notes) ctx.warn(note)
    return { ...step, action: created ? 'create' : 'present' }
  }
  if (step.action === 'present') return step
  try {
    if (step.action === 'change') return await change(step)
    return step.action === 'append' ? await append(step) : await create(step)
  } catch (error) {
    throw cannotWrite(step.path, error)
  }
}

async function create(step: InitStep): Promise<InitStep> {
  try {
    await writeFile(step.path, step.content ?? '', { flag: 'wx' })
    return step
  } catch (error) {
    // Somebody made it while we looked: theirs stays.
    if (systemCode(error) === 'EEXIST') return { ...step, action: 'present' }
    throw error
  }
}

async function change(step: InitStep): Promise<InitStep> {
  const { mode } = await stat(step.path)
  const temporary = `${step.path}.${randomBytes(6).toString('hex')}.tmp`
  await writeFile(temporary, step.content ?? '', { flag: 'wx', mode: mode & 0o777 })
  await rename(temporary, await realpath(step.path))
  return step
}

async function append(step: InitStep): Promise<InitStep> {
  const before = await readFile(step.path, 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return ''
    throw error
  })
  const eol = before.includes('\r\n') ? '\r\n' : '\n'
  const gap = before === '' || before.endsWith('\n') ? '' : eol
  await appendFile(step.path, gap + (step.content ?? '').replaceAll('\n', eol))
  return step
}

async function makeFolder(root: string): Promise<void> {
  const missing: string[] = []
  for (let at = root; at !== dirname(at) && !(await isThere(at)); at = dirname(at)) missing.unshift(at)
  for (const folder of missing) {
    try {
      // Not `recursive`: Node then tries for ever where the system says ENOENT though the parent is there, as in /proc.
      await mkdir(folder)
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw cannotWrite(folder, error)
    }
  }
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

/** Without DIR, inside of a project, that project is meant: not one more inside it. */
async function initFolder({ cwd, env }: Context, dir: string | undefined, store: string | undefined): Promise<string> {
  if (dir === undefined) {
    const { file } = await loadProjectHere({ cwd, env, store })
    return file === undefined ? cwd : dirname(file)
  }
  const root = resolve(cwd, dir)
  const facts = await stat(root).catch(() => undefined)
  const dangling = facts === undefined && (await lstat(root).catch(() => undefined)) !== undefined
  if (dangling || facts?.isDirectory() === false) {
    throw usage({
      code: 'INIT_NOT_A_FOLDER',
      message: `${dir} is ${dangling ? 'a link to nothing' : 'a file'}, not a folder.`,
      hint: 'Name a folder, or none for this one: mlops init',
    })
  }
  return root
}

function cannotWrite(path: string, error: unknown): Error {
  const code = systemCode(error)
  if (code === undefined) return error as Error
  const why: Readonly<Record<string, string>> = {
    EACCES: 'you may not write there',
    EPERM: 'you may not write there',
    EROFS: 'the disk is read-only',
    ENOSPC: 'the disk is full',
    ENOENT: 'the system makes no folder there',
    ENOTDIR: 'a part of the path is a file',
    EEXIST: 'a part of the path is a file',
    EISDIR: 'it is a folder',
  }
  return failed({
    code: 'INIT_DENIED',
    message: `${path} cannot be written: ${why[code] ?? code}.`,
    hint: `Look at it: ls -ld ${shellWord(dirname(path))}, then run mlops init again`,
    cause: error,
  })
}
