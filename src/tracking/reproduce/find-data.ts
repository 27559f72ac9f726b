/**
 * Where the bytes of each declared data come from: by hand, the commit, the user's present file, a snapshot in the store,
 * DVC; always those of the recorded digest, or none. Reads only; putting them in place is `restore-data.ts`.
 */
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import type { Context } from '../../core/context.ts'
import { notFound, usage } from '../../core/errors.ts'
import { nearest } from '../../core/nearest.ts'
import type { DeclaredData } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'
import { readManifest } from '../capture/data-manifest.ts'
import { findOnPath } from '../capture/find-program.ts'
import { type Content, contentOf, folderDigest } from './folder-digest.ts'
import { type Git, gitIn } from './git.ts'
import type { PlannedData, ReproduceRequest } from './types.ts'

export interface DataPlace {
  /** Top folder of the user's repository; null: there is none, and nothing comes from a commit. */
  readonly top: string | null
  readonly commit: string | null
  /** Absolute folder that relative paths mean. */
  readonly cwd: string
}

/** @throws usage for a `--data` that names nothing; notFound for one whose file is not there */
export async function findData(
  ctx: Context,
  store: Store,
  declared: readonly DeclaredData[],
  given: ReproduceRequest['data'],
  place: DataPlace,
): Promise<PlannedData[]> {
  const found: PlannedData[] = []
  for (const data of declared) {
    ctx.progress?.(`looking for the data ${data.name}`)
    const byHand = given.find(({ name }) => name === data.name)
    found.push(byHand === undefined ? await findOne(ctx, store, data, place) : await takeGiven(ctx, data, byHand.path))
  }
  for (const { name, path } of given) {
    if (!declared.some((data) => data.name === name)) found.push(await undeclared(ctx, declared, name, path))
  }
  return found
}

const common = ({ name, path, kind, sha256, size }: DeclaredData) => ({ name, path, kind, sha256, size })

async function findOne(ctx: Context, store: Store, data: DeclaredData, place: DataPlace): Promise<PlannedData> {
  const full = resolve(place.cwd, data.path)
  const inside = place.top !== null && isIn(place.top, full)
  const notes: string[] = []
  const at = (from: PlannedData['from'], source: string | null = null): PlannedData => ({
    ...{ ...common(data), from, source, notes, mend: null },
  })
  const present = await contentOf(full, ctx.signal)
  const isSame = present?.sha256 === data.sha256 && present.kind === data.kind
  if (isAbsolute(data.path) && !inside && isSame) return at('in place', full)
  if (inside && (await isInCommit(ctx, data, full, place))) return at('git')
  if (isSame) return at('present', full)
  notes.push(present === undefined ? `${data.path} is not there any more` : `${data.path} has other content now`)
  const snapshot = await inObjects(store, data, present)
  if (snapshot === 'all') return at('snapshot')
  if (snapshot === 'with present files') return at('mixed', full)
  notes.push(data.snapshot === true ? 'parts of its snapshot are not in the store' : 'no snapshot of it was kept')
  const dvc = data.dvc?.matches ? await findOnPath('dvc', ctx.env, place.cwd) : undefined
  if (data.dvc !== undefined && dvc !== undefined) return at('dvc', dvc)
  return { ...at(null), mend: mendFor(data) }
}

function mendFor({ name, dvc }: DeclaredData): string {
  const byHand = `--data ${name}=PATH, of a copy with these bytes`
  if (dvc === undefined || !dvc.matches) return byHand
  return `pip install dvc, so that dvc pull can bring it (${dvc.file}); or ${byHand}`
}

async function takeGiven(ctx: Context, data: DeclaredData, path: string): Promise<PlannedData> {
  const source = resolve(ctx.cwd, path)
  const content = await contentGiven(ctx, data.name, path, source)
  if (content.sha256 !== data.sha256 || content.kind !== data.kind) {
    throw usage({
      code: 'DATA_DIFFERS',
      message: `--data ${data.name}=${path} has the digest ${content.sha256.slice(0, 16)}…, and the run read ${data.sha256.slice(0, 16)}… (${data.size} bytes): it is other data.`,
      hint: 'Name a copy with the bytes that the run read',
      details: { name: data.name, wanted: data.sha256, found: content.sha256 },
    })
  }
  return { ...common(data), from: 'given', source, notes: [], mend: null }
}

/** A path of the run's folder: for what the run read and did not declare. */
async function undeclared(
  ctx: Context,
  declared: readonly DeclaredData[],
  name: string,
  path: string,
): Promise<PlannedData> {
  const names = declared.map((data) => data.name)
  if (!/[./\\]/.test(name)) {
    const close = nearest(name, names)
    throw usage({
      code: 'DATA_UNKNOWN',
      message: `--data ${name}=${path}: the run declared ${names.length === 0 ? 'no data' : `${names.join(', ')}, no ${name}`}.`,
      hint:
        close === undefined
          ? 'For a file that it read and did not declare write its path: --data data/train.csv=data/train.csv'
          : `Did you mean --data ${close}=${path}?`,
    })
  }
  if (
    isAbsolute(name) ||
    name.split(/[/\\]/).some((part) => ['..', '.git'].includes(part.toLowerCase())) ||
    /^[./\\]*$/.test(name)
  ) {
    throw usage({
      code: 'DATA_UNKNOWN',
      message: `--data ${name}=${path}: ${name} must be a path below the folder of the run.`,
      hint: 'Write for example --data data/train.csv=/mnt/copies/train.csv',
    })
  }
  const source = resolve(ctx.cwd, path)
  const { kind, size } = await contentGiven(ctx, name, path, source)
  return { name, path: name, kind, sha256: null, size, from: 'given', source, notes: [], mend: null }
}

async function contentGiven(ctx: Context, name: string, path: string, source: string): Promise<Content> {
  const content = await contentOf(source, ctx.signal)
  if (content !== undefined) return content
  throw notFound({
    code: 'DATA_NOT_FOUND',
    message: `--data ${name}=${path}: there is no such file or folder that can be read.`,
    hint: 'Check the path; it is relative to where you stand.',
  })
}

/** Files are hashed as the commit has them; of a folder every file must be there. */
async function isInCommit(ctx: Context, data: DeclaredData, full: string, place: DataPlace): Promise<boolean> {
  const { top, commit } = place
  if (top === null || commit === null) return false
  const git = gitIn(top, ctx.env, ctx.signal)
  const path = relative(top, full).split(sep).join('/')
  const listed = await git.attempt(['ls-tree', '-r', '-z', '--full-tree', commit, '--', path])
  const blobs = listed.stdout.split('\0').flatMap((record) => {
    const [, blob, name] = /^100\d+ blob ([0-9a-f]+)\t([\s\S]+)$/.exec(record) ?? []
    return blob === undefined || name === undefined ? [] : [{ blob, name }]
  })
  if (listed.code !== 0 || blobs.length === 0) return false
  if (data.kind === 'file') return blobs.length === 1 && (await blobDigest(git, blobs[0]?.blob)) === data.sha256
  // A process for each of many files takes longer than reading the files that lie here.
  if (blobs.length > 200 || blobs.length !== data.files) return false
  const digests: { path: string; sha256: string }[] = []
  for (const { blob, name } of blobs) {
    digests.push({ path: name.slice(path.length + 1), sha256: (await blobDigest(git, blob)) ?? '' })
  }
  return folderDigest(digests) === data.sha256
}

const blobDigest = async (git: Git, blob: string | undefined): Promise<string | undefined> =>
  blob === undefined ? undefined : (await git.digest(['cat-file', 'blob', blob]))?.sha256

/** The whole content, or what of it the present files lack. */
async function inObjects(
  store: Store,
  data: DeclaredData,
  present: Content | undefined,
): Promise<'all' | 'with present files' | 'no'> {
  if (data.kind === 'file') return (await store.objects.has(data.sha256)) ? 'all' : 'no'
  if (data.manifest === undefined || !(await store.objects.has(data.sha256))) return 'no'
  const here = new Set(present?.files.map(({ path, sha256 }) => `${path}\0${sha256}`))
  let lacking = false
  for (const { path, sha256 } of readManifest(await store.objects.read(data.sha256))) {
    if (await store.objects.has(sha256)) continue
    lacking = true
    if (!here.has(`${path}\0${sha256}`)) return 'no'
  }
  return lacking ? 'with present files' : 'all'
}

export const isIn = (folder: string, path: string): boolean => {
  const inside = relative(folder, path)
  return inside === '' || (!inside.startsWith('..') && !isAbsolute(inside))
}

/** Where the data lies in the mirrored tree. @param mapped absolute folder of the run in it */
export const placeOf = (data: Pick<PlannedData, 'path'>, place: DataPlace, mirror: DataMirror): string =>
  isAbsolute(data.path) && place.top !== null && isIn(place.top, data.path)
    ? join(mirror.top, relative(place.top, data.path))
    : resolve(mirror.cwd, data.path)

export interface DataMirror {
  readonly top: string
  readonly cwd: string
}
