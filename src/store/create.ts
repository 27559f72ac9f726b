/**
 * Making a store. Every step can be repeated, and `registry.json` comes last: a store that has one is whole, and what
 * a killed `init` leaves behind is finished by the next one.
 */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { systemCode, usage } from '../core/errors.ts'
import { explained, quoted } from './failures.ts'
import { type Files, nodeFiles } from './files.ts'
import { ATTRIBUTES, FOLDERS, hasAttributes, REGISTRY, RESERVE, STORE_FORMAT, TMP } from './layout.ts'
import { LocalBackend } from './local-backend.ts'
import { inspectRoot, isShared, readRegistry, refuseForeign, tooNew } from './open.ts'
import { registryBytes } from './registry.ts'
import { makeReserve } from './reserve.ts'

export interface CreateOptions {
  /** A team with different user ids works in it: set-group-id folders, writable for the group. */
  readonly shared?: boolean
  /** The environment git is started in, without its own variables; defaults to that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly files?: Files
}

export interface CreatedStore {
  readonly root: string
  readonly id: string
  /** False when there was one already. */
  readonly created: boolean
  /** Is it a git repository of its own, so that `git clean -fdx` of the one around it leaves it alone? */
  readonly repository: boolean
  /** What the user should know though the store was made. */
  readonly notes: readonly string[]
}

/**
 * Makes a store at `root` (absolute), or completes and describes the one that is there.
 * @throws usage `STORE_IS_A_LINK`, `STORE_NOT_A_FOLDER`, `STORE_FOLDER_TAKEN`; failed `STORE_NOT_YOURS`, `STORE_FULL` …
 */
export async function createStore(root: string, options: CreateOptions = {}): Promise<CreatedStore> {
  const files = options.files ?? nodeFiles
  return explained(root, 'make the store', async () => {
    const { backend, repository, notes } = await prepareFolder(root, options)
    const id = randomBytes(16).toString('hex')
    const created = await backend.putIfAbsent(REGISTRY, registryBytes(STORE_FORMAT, id))
    if (!created) await backend.settle(REGISTRY)
    return { root, id: readRegistry(files, root).id, created, repository, notes }
  })
}

/** Everything that a store needs but its `registry.json`: until that is there, nobody takes the folder for a store. */
export async function prepareFolder(
  root: string,
  options: CreateOptions,
): Promise<{ backend: LocalBackend; repository: boolean; notes: string[] }> {
  const files = options.files ?? nodeFiles
  await makeRoot(files, root, options.shared === true)
  const shared = isShared(files.info(root))
  const backend = new LocalBackend(root, { files, shared })
  for (const folder of FOLDERS) await backend.makeFolder(backend.path(folder))
  for (const folder of FOLDERS) await backend.settleFolder(backend.path(folder))
  await makeReserve(backend)
  const notes = shared ? [sharedWith(files, root)] : []
  const repository = await makeRepository(backend, shared, options.env, notes)
  return { backend, repository, notes }
}

async function makeRoot(files: Files, root: string, shared: boolean): Promise<void> {
  const missing: string[] = []
  for (let at = root; !there(files, at) && at !== dirname(at); at = dirname(at)) missing.unshift(at)
  for (const folder of missing) await files.mkdir(folder).catch(unlessThere)
  const info = await inspectRoot(files, root)
  refuseForeign(root, info)
  refuseOthersFiles(files, root)
  refuseNewer(files, root)
  if (shared && !isShared(info)) await shareFolders(files, root, info.gid)
  await makeTemporary(files, root)
  for (const folder of missing) await files.fsyncFolder(dirname(folder))
}

/** On many systems every user has a group alone, and a store shared with that one is shared with nobody. */
function sharedWith(files: Files, root: string): string {
  const { gid } = files.info(root)
  return `${root} is shared with the members of group ${gid}. For another group: chgrp -R GROUP ${quoted(root)}`
}

/** First of all: everything else is made in it and renamed to its place. */
async function makeTemporary(files: Files, root: string): Promise<void> {
  const path = join(root, TMP)
  if (there(files, path)) return
  await files.mkdir(path).catch(unlessThere)
  if (isShared(files.info(root))) await files.chmod(path, 0o2775)
}

/**
 * Also for a store that was private until now: its folders become those of the root's group. The root comes last, so
 * that one that is marked as shared is so throughout.
 */
async function shareFolders(files: Files, folder: string, group: number): Promise<void> {
  for (const { name, kind } of files.list(folder)) {
    if (kind === 'folder' && name !== '.git') await shareFolders(files, join(folder, name), group)
  }
  if (files.info(folder).gid !== group) await files.chgrp(folder, group)
  await files.chmod(folder, 0o2775)
}

function refuseNewer(files: Files, root: string): void {
  if (!there(files, join(root, REGISTRY))) return
  const { format } = readRegistry(files, root)
  if (format > STORE_FORMAT) throw tooNew(root, format)
}

/** `--store ~/data` by mistake must not fill a folder of data with ours. */
function refuseOthersFiles(files: Files, root: string): void {
  const entries = files.list(root)
  const ours = new Set<string>([...FOLDERS, REGISTRY, RESERVE, 'predictions', '.git', '.gitattributes', '.DS_Store'])
  const foreign = entries.find(({ name }) => !ours.has(name.replace(/\.claim$/, '')))
  if (foreign === undefined || entries.some(({ name }) => name === REGISTRY)) return
  throw usage({
    code: 'STORE_FOLDER_TAKEN',
    message: `${root} is not empty and no store: it holds for example ${foreign.name}.`,
    hint: `Name a folder of its own, for example: --store ${quoted(join(root, '.mlops'))}`,
    details: { store: root, found: foreign.name },
  })
}

/** Attributes first: git must never rewrite line ends in records that are chained by their bytes. */
async function makeRepository(
  backend: LocalBackend,
  shared: boolean,
  env: CreateOptions['env'],
  notes: string[],
): Promise<boolean> {
  if (!insideRepository(dirname(backend.root))) return false
  await writeAttributes(backend)
  if (existsSync(backend.path('.git'))) return true
  const args = ['-c', 'init.defaultBranch=mlops-store', 'init', '--quiet', '--template=']
  try {
    await promisify(execFile)('git', shared ? [...args, '--shared=group', '.'] : [...args, '.'], {
      cwd: backend.root,
      ...(env === undefined ? {} : { env: withoutGit(env) }),
    })
    return true
  } catch {
    notes.push(
      `${backend.root} could not be made a git repository of its own: git clean -fdx in the repository around it would ` +
        `delete it. Install git and run mlops init again.`,
    )
    return false
  }
}

/** Durable, and in force for whatever git does in the folder. */
export async function writeAttributes(backend: LocalBackend): Promise<void> {
  const present = await backend.get('.gitattributes')
  if (hasAttributes(present)) return
  const staged = await backend.stage()
  await staged.write(
    Buffer.from(present === undefined ? ATTRIBUTES : `${present.toString('utf8').trimEnd()}\n${ATTRIBUTES}`),
  )
  if (present === undefined) await staged.publish('.gitattributes')
  else await staged.replace('.gitattributes')
}

/** Inside a git hook GIT_DIR names the repository around us, and `git init` would act on that one. */
const withoutGit = (env: NonNullable<CreateOptions['env']>): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('GIT_')))

function insideRepository(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return true
    if (at === dirname(at)) return false
  }
}

function there(files: Files, path: string): boolean {
  try {
    files.info(path)
    return true
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return false
    throw error
  }
}

function unlessThere(error: unknown): void {
  if (systemCode(error) !== 'EEXIST') throw error
}
