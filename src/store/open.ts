/** Opening a store: what is refused before anything is read or written, and why. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Actor } from '../core/context.ts'
import { failed, type MlopsError, notFound, systemCode, usage } from '../core/errors.ts'
import type { Backend } from './backend.ts'
import { ANY_DIGEST } from './chain.ts'
import { checksOf } from './checks.ts'
import { claimsOf } from './claims.ts'
import { quoted, storeFailure } from './failures.ts'
import { type FileInfo, type Files, nodeFiles, ownedBy } from './files.ts'
import type { SharingWish } from './git-remote.ts'
import type { GitEnv } from './git-run.ts'
import { readSharing } from './git-sharing.ts'
import { FOLDERS, REGISTRY, STORE_FORMAT } from './layout.ts'
import { LocalBackend, storeOpenedForReading } from './local-backend.ts'
import { modelsOf } from './models.ts'
import { objectsOf } from './objects.ts'
import { parseRegistry, type Registry } from './registry.ts'
import { runsOf } from './runs.ts'
import { readServing } from './serving.ts'
import type { Store } from './store.ts'
import { trashOf } from './trash-runs.ts'

export interface OpenOptions {
  /** False for commands that only look: then every writing method refuses. */
  readonly write: boolean
  /** The clock of the `Context`, for heartbeats. */
  readonly now?: () => Date
  /** Something the user should know though the work goes on: that of the `Context`. */
  readonly warn?: (message: string) => void
  /** Tests put a failing disk here. */
  readonly files?: Files
  /** Of a store that is shared as a branch of a git repository (docs/git-store.md). */
  readonly git?: GitOptions
}

export interface GitOptions {
  /** How `mlops.yaml` says that the store at `root` is shared: a folder that is missing is made from the branch. */
  readonly wish?: SharingWish | undefined
  readonly env: GitEnv
  readonly actor: Actor
  /** `must`: an error where the remote does not answer; `never`: it is not asked. */
  readonly ask?: 'once' | 'must' | 'never'
  readonly progress?: ((step: string, fraction?: number) => void) | undefined
  /** Tests end the process between two steps. */
  readonly step?: ((name: string) => void) | undefined
}

/**
 * @param root absolute path
 * @throws notFound `STORE_NOT_FOUND`; usage `STORE_NOT_A_FOLDER`, `STORE_IS_A_LINK`; failed `STORE_TOO_NEW`,
 *   `STORE_NOT_YOURS` (both for writing only), `STORE_DAMAGED`
 */
export async function openStore(root: string, options: OpenOptions): Promise<Store> {
  const { write, warn = () => {}, now = processClock } = options
  const given = options.files ?? nodeFiles
  const { git } = options
  // Between two keys nothing is fetched; a run has to be recorded somewhere.
  if (git?.wish !== undefined && (write || git.ask !== 'never')) await joinFirst(root, git, git.wish, now, warn)
  const info = await inspectRoot(given, root)
  const registry = readRegistry(given, root)
  const newer = registry.format > STORE_FORMAT
  if (newer && write) throw tooNew(root, registry.format)
  if (newer) warn(tooNewToTrust(root, registry.format))
  const files = write ? filesForWriting(given, root, info) : given
  const common = { files, shared: isShared(info), ...(newer ? { newer: registry.format } : {}) }
  const local = new LocalBackend(root, { ...common, ...(write ? {} : { refusal: storeOpenedForReading(root) }) })
  // Before anything else is written: what a command puts into the objects would stay although its event is refused.
  if (write) for (const folder of FOLDERS) await local.refuseLinks(folder)
  const backend = await maybeShared(local, common, { ...options, warn, now })
  return assemble(backend, files, newer ? { ...registry, digest: ANY_DIGEST } : registry, now, warn)
}

/** The folder says by itself that it is the clone of a branch, whoever names it: nobody writes past the team. */
async function maybeShared(
  local: LocalBackend,
  common: { readonly files: Files; readonly shared: boolean; readonly newer?: number },
  { write, now, warn, git }: OpenOptions & { readonly now: () => Date; readonly warn: (message: string) => void },
): Promise<Backend> {
  const sharing = readSharing(local.root)
  if (sharing === undefined) return local
  const { openShared } = await import('./git-open.ts')
  const { env, actor, ask = 'once', progress, step } = git ?? NOBODY
  return openShared(local, new LocalBackend(local.root, common), sharing, {
    ...{ write, ask, env, actor, now, warn, progress, step },
  })
}

const NOBODY: GitOptions = { env: { PATH: '/usr/local/bin:/usr/bin:/bin' }, actor: { name: 'mlops', origin: 'local' } }

/** A fresh clone of the code has no store yet: its first command makes it from the branch that `mlops.yaml` names. */
async function joinFirst(
  root: string,
  git: GitOptions,
  wish: SharingWish,
  now: () => Date,
  warn: (message: string) => void,
): Promise<void> {
  if (existsSync(join(root, REGISTRY))) {
    if (readSharing(root) === undefined) throw notJoined(root, wish)
    return
  }
  const { joinStore } = await import('./git-join.ts')
  const { notes } = await joinStore(root, wish, { ...git, now, mayCreate: false })
  for (const note of notes) warn(note)
}

/** @throws nothing is guessed: its records may be another store's, or not in the branch yet */
const notJoined = (root: string, { remote, branch }: SharingWish): MlopsError =>
  usage({
    code: 'STORE_NOT_JOINED',
    message: `mlops.yaml shares the store as ${branch} of ${remote}, and ${root} is a store of its own that is not joined to it.`,
    hint: 'Join it: mlops init',
    details: { store: root, remote, branch },
  })

function assemble(
  backend: Backend,
  files: Files,
  registry: Registry,
  now: () => Date,
  warn: (message: string) => void,
): Store {
  const objects = objectsOf(backend, files)
  return {
    root: backend.root,
    id: registry.id,
    objects,
    models: modelsOf(backend, registry.digest, objects, warn),
    checks: checksOf(backend, registry.digest),
    claims: claimsOf(backend, now),
    runs: runsOf(backend, objects, now),
    serving: { list: (model) => readServing(backend, model, now()) },
    trash: trashOf(backend, now),
  }
}

/** Good enough for a short process without a `Context`; it stands still while a laptop sleeps. */
const processClock = (): Date => new Date(performance.timeOrigin + performance.now())

/** Set-group-id and writable for the group: made by `init --shared`. */
export const isShared = (info: FileInfo): boolean => (info.mode & 0o2020) === 0o2020

/** @throws as `openStore` for a root that is missing, a link or no folder */
export async function inspectRoot(files: Files, root: string): Promise<FileInfo> {
  let info: FileInfo
  try {
    info = files.info(root)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) throw storeNotFound(root)
    throw storeFailure(error, root, 'look at the store')
  }
  if (info.kind === 'link') throw isALink(files, root)
  if (info.kind === 'folder') return info
  throw usage({
    code: 'STORE_NOT_A_FOLDER',
    message: `${root} is a file; a store is a folder.`,
    hint: 'Move the file away and run: mlops init. Or point elsewhere with --store PATH',
    details: { store: root },
  })
}

/** @throws notFound `STORE_NOT_FOUND`, failed `STORE_DAMAGED` */
export function readRegistry(files: Files, root: string): Registry {
  let bytes: Buffer
  try {
    bytes = files.readFile(`${root}/${REGISTRY}`)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw storeNotFound(root)
    throw storeFailure(error, root, 'read the store')
  }
  const registry = parseRegistry(bytes)
  if (typeof registry !== 'string') return registry
  throw failed({
    code: 'STORE_DAMAGED',
    message: `${root}/${REGISTRY} is damaged: ${registry}.`,
    hint: 'Restore the file from a copy of the store; it never changes. See all damage: mlops store verify',
    details: { file: `${root}/${REGISTRY}` },
  })
}

/**
 * Root, as which CI jobs run in containers, writes into anybody's store, and what it makes belongs to the owner.
 * @throws failed `STORE_NOT_YOURS`
 */
export function filesForWriting(files: Files, root: string, info: FileInfo): Files {
  const uid = process.getuid?.()
  if (uid !== 0 || info.uid === 0 || isShared(info)) {
    refuseForeign(root, info)
    return files
  }
  return ownedBy(files, info, (cause) => foreign(root, info, cause))
}

/** @throws failed `STORE_NOT_YOURS`: what we made in it, its owner could not change */
export function refuseForeign(root: string, info: FileInfo): void {
  const uid = process.getuid?.()
  if (uid === undefined || uid === info.uid || isShared(info)) return
  throw foreign(root, info)
}

const foreign = (root: string, info: FileInfo, cause?: unknown): MlopsError =>
  failed({
    code: 'STORE_NOT_YOURS',
    message:
      `${root} belongs to another user (uid ${info.uid}; you are ${process.getuid?.()}) and is not shared. ` +
      'What you wrote there would lock its owner out, so nothing was written.',
    hint: `Run the command as that user (in a container: docker run --user ${info.uid}), or let its owner share the store: mlops init --shared. Reading works`,
    details: { store: root, owner: info.uid, you: process.getuid?.() },
    cause,
  })

const storeNotFound = (root: string): MlopsError =>
  notFound({
    code: 'STORE_NOT_FOUND',
    message: `There is no store at ${root}.`,
    hint: 'Make one: mlops init. Or point to an existing one with --store PATH or MLOPS_STORE',
    details: { store: root },
  })

function isALink(files: Files, root: string): MlopsError {
  const target = files.readLink(root)
  return usage({
    code: 'STORE_IS_A_LINK',
    message:
      `${root} is a symbolic link to ${target}. It is not followed: a link that came with a repository could send ` +
      'your models to any folder.',
    hint: `If that is your store, name the folder itself: --store ${quoted(target)}, or "store:" in mlops.yaml`,
    details: { store: root, target },
  })
}

export const tooNew = (root: string, format: number): MlopsError =>
  failed({
    code: 'STORE_TOO_NEW',
    message: `The store ${root} has format ${format}; this mlops writes format ${STORE_FORMAT} and cannot write into it.`,
    hint: 'Update: npm install -g mlops@latest. Reading works',
    details: { store: root, format, supported: STORE_FORMAT },
  })

/** For commands that only read: they do what they can. */
const tooNewToTrust = (root: string, format: number): string =>
  `The store ${root} was written by a newer mlops (format ${format}; this one knows ${STORE_FORMAT}). What is shown may ` +
  'be incomplete, and nothing can be written. Update: npm install -g mlops@latest'
