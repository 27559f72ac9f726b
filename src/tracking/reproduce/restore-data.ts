/**
 * Puts declared data where the command will read it: copied (or reflinked), never linked, so that nothing the command
 * does reaches the user's files. Every byte is hashed again where it ends up.
 */
import { constants } from 'node:fs'
import { chmod, copyFile, mkdir, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import type { Context } from '../../core/context.ts'
import { failed, type MlopsError } from '../../core/errors.ts'
import type { DeclaredData, DvcEntry } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'
import { readManifest } from '../capture/data-manifest.ts'
import { type DataPlace, isIn, placeOf } from './find-data.ts'
import { contentOf, hasContent, isThere } from './folder-digest.ts'
import { runProgram } from './program.ts'
import type { PlannedData } from './types.ts'

export interface RestoreRequest {
  readonly declared: readonly DeclaredData[]
  readonly planned: readonly PlannedData[]
  readonly place: DataPlace
  /** The mirrored top folder and folder of the run. */
  readonly mirror: { readonly top: string; readonly cwd: string }
  /** Nothing is written outside of it. */
  readonly workshop: string
}

/** @throws failed `DATA_NOT_RESTORED` */
export async function restoreData(ctx: Context, store: Store, request: RestoreRequest): Promise<void> {
  for (const planned of request.planned) {
    ctx.signal?.throwIfAborted()
    ctx.progress?.(`data ${planned.name}`)
    const target = placeOf(planned, request.place, request.mirror)
    const wanted = planned.sha256 === null ? undefined : { ...planned, sha256: planned.sha256, size: planned.size ?? 0 }
    if (wanted !== undefined && (await hasContent(target, wanted, ctx.signal))) continue
    await assertOurs(planned, target, request.workshop)
    await put(ctx, store, planned, target, request)
    if (wanted !== undefined && !(await hasContent(target, wanted, ctx.signal))) {
      throw notRestored(
        planned,
        'what was put in place does not have the recorded digest; it may have changed meanwhile',
      )
    }
  }
}

async function put(
  ctx: Context,
  store: Store,
  planned: PlannedData,
  target: string,
  request: RestoreRequest,
): Promise<void> {
  const declared = request.declared.find(({ name }) => name === planned.name)
  if (planned.from === 'dvc' && declared?.dvc !== undefined) {
    return await pull(ctx, planned, declared.dvc, request)
  }
  // A link is replaced, not followed.
  await rm(target, { recursive: true, force: true })
  await mkdir(dirname(target), { recursive: true })
  if (planned.source !== null && (planned.from === 'present' || planned.from === 'given')) {
    return await copyAll(planned.source, target, ctx.signal)
  }
  if (planned.sha256 !== null && (planned.from === 'snapshot' || planned.from === 'mixed')) {
    return await unpack(store, planned, planned.sha256, target)
  }
  throw notRestored(planned, 'the checkout does not hold the recorded bytes')
}

/** A folder that is committed as a link may lead to the user's own data. */
async function assertOurs(planned: PlannedData, target: string, workshop: string): Promise<void> {
  let folder = dirname(target)
  while (!(await isThere(folder))) folder = dirname(folder)
  const real = await realpath(folder).catch(() => undefined)
  if (real !== undefined && isIn(workshop, real)) return
  throw notRestored(
    planned,
    `its place leads to ${real ?? folder}, out of the reproduction, and is not what was recorded`,
  )
}

async function copyAll(source: string, target: string, signal: AbortSignal | undefined): Promise<void> {
  if ((await stat(source)).isFile()) return await copyOne(source, target)
  await mkdir(target, { recursive: true })
  for (const { path } of (await contentOf(source, signal))?.files ?? []) {
    signal?.throwIfAborted()
    await mkdir(dirname(join(target, path)), { recursive: true })
    await copyOne(join(source, path), join(target, path))
  }
}

/** Copy-on-write where the disk can; the copy is writable, whatever the original is. */
async function copyOne(source: string, target: string): Promise<void> {
  await copyFile(source, target, constants.COPYFILE_FICLONE)
  await chmod(target, ((await stat(source)).mode & 0o777) | 0o600)
}

async function unpack(store: Store, planned: PlannedData, digest: string, target: string): Promise<void> {
  if (planned.kind === 'file') {
    await store.objects.exportTo(digest, target)
    return
  }
  await mkdir(target, { recursive: true })
  for (const { path, sha256 } of readManifest(await store.objects.read(digest))) {
    const file = join(target, ...path.split('/'))
    if (!isIn(target, file)) throw notRestored(planned, `its list names ${path}, outside of the folder`)
    await mkdir(dirname(file), { recursive: true })
    if (await store.objects.has(sha256)) await store.objects.exportTo(sha256, file)
    else if (planned.source !== null) await copyOne(join(planned.source, ...path.split('/')), file)
  }
}

/**
 * `dvc pull` in the worktree, with the cache that the user's repository has and its private settings, in which the remote
 * may stand. What it brings is copied out of the cache, so that nothing writes through a link into it.
 */
async function pull(ctx: Context, planned: PlannedData, entry: DvcEntry, request: RestoreRequest): Promise<void> {
  const { place, mirror } = request
  const dvc = planned.source ?? 'dvc'
  const options = { cwd: mirror.cwd, env: ctx.env, signal: ctx.signal }
  const home = await dvcRoot(mirror.cwd, mirror.top)
  if (home === undefined) throw notRestored(planned, 'the commit holds no .dvc folder')
  const here = join(place.top ?? '', relative(mirror.top, home))
  const settings = join(here, '.dvc', 'config.local')
  if (await isThere(settings)) await copyOne(settings, join(home, '.dvc', 'config.local'))
  const cache = join(here, '.dvc', 'cache')
  for (const words of [
    ...((await isThere(cache)) ? [['config', '--local', 'cache.dir', cache]] : []),
    ['config', '--local', 'cache.type', 'reflink,copy'],
  ]) {
    await runProgram([dvc, ...words], { ...options, cwd: home })
  }
  const target = entry.stage === undefined ? entry.file : planned.path
  const end = await runProgram([dvc, 'pull', '--force', target.split(sep).join('/')], {
    ...options,
    onLine: (line) => ctx.progress?.(`dvc pull: ${line}`),
  })
  if (end.code !== 0) throw notRestored(planned, `dvc pull failed: ${end.tail.slice(-3).join(' ')}`)
}

async function dvcRoot(from: string, top: string): Promise<string | undefined> {
  for (let here = from; isIn(top, here); here = dirname(here)) if (await isThere(join(here, '.dvc'))) return here
  return undefined
}

const notRestored = ({ name, path }: PlannedData, why: string): MlopsError =>
  failed({
    code: 'DATA_NOT_RESTORED',
    message: `The data ${name} (${path}) could not be put in place: ${why}.`,
    hint: `Name a copy with the recorded bytes: --data ${name}=PATH`,
  })

/** For a patch or list that must lie in a file for a moment. */
export const scratchFile = async (folder: string, name: string, bytes: string | Buffer): Promise<string> => {
  const path = join(folder, name)
  await writeFile(path, bytes)
  return path
}
