/**
 * The verified files of a version in a temporary folder, for a command that looks at them. Names of files come from
 * whoever made the version, also on another machine: no path that is put into a command line holds anything that a
 * shell would read. What is run is for the caller to say.
 */
import { failed } from '../core/errors.ts'
import type { Manifest } from '../store/manifest.ts'
import type { Store } from '../store/store.ts'

export interface FilesOfVersion {
  /** The one file, or the folder of several. */
  readonly model: string
  /** An empty folder. */
  readonly scratch: string
}

/** The files are gone afterwards. @throws failed `TEMPORARY_FOLDER_UNSAFE`; whatever the store throws for damaged bytes */
export async function withFilesOf<T>(
  store: Store,
  manifest: Manifest,
  use: (at: FilesOfVersion) => Promise<T>,
): Promise<T> {
  const { mkdir, mkdtemp, rm } = await import('node:fs/promises')
  const { rmSync } = await import('node:fs')
  const { tmpdir } = await import('node:os')
  const { dirname, join } = await import('node:path')
  const folder = await mkdtemp(join(safeFolder(tmpdir(), process.platform), 'mlops-evaluate-'))
  // A second signal, or a model of gigabytes after the first, ends the process before the end of this function.
  const removeNow = (): void => rmSync(folder, { recursive: true, force: true })
  process.once('exit', removeNow)
  try {
    const [files, scratch] = [join(folder, 'model'), join(folder, 'scratch')]
    await Promise.all([mkdir(files), mkdir(scratch)])
    const names = safeNames(manifest.files.map(({ path }) => path))
    let last = files
    for (const [index, { sha256 }] of manifest.files.entries()) {
      last = join(files, ...(names[index] ?? `${index}`).split('/'))
      await mkdir(dirname(last), { recursive: true })
      await store.objects.exportTo(sha256, last)
    }
    return await use({ model: manifest.files.length === 1 ? last : files, scratch })
  } finally {
    await rm(folder, { recursive: true, force: true })
    process.off('exit', removeNow)
  }
}

const POSIX_FOLDER = /^[\w./@+:=,-]+$/
const WINDOWS_FOLDER = /^[\w.\\/@+:=,~ -]+$/

/** Where temporary files go: not where `TMPDIR` says when a shell would read something in it. Exported for tests. */
export function safeFolder(folder: string, platform: string): string {
  if (platform !== 'win32') return POSIX_FOLDER.test(folder) ? folder : '/tmp'
  if (WINDOWS_FOLDER.test(folder)) return folder
  throw failed({
    code: 'TEMPORARY_FOLDER_UNSAFE',
    message: `The folder of temporary files, ${folder}, has a name that a shell would not take as it is, so no command was run on files in it.`,
    hint: 'Name another folder in TEMP',
  })
}

/** A path of one file is a word of the command line. */
const SAFE_WORD = /^[A-Za-z0-9._][A-Za-z0-9._-]*$/
/** Of several files only their folder is: the script looks for their names, which may be of any language. */
const SAFE_NAME = /^[\p{L}\p{M}\p{N}._+=@,%][\p{L}\p{M}\p{N}._+=@,% -]*$/u
const EXTENSIONS = /(?:\.[A-Za-z0-9]{1,16}){1,2}$/

/**
 * The paths of a version's files as they are written for a command: as they are, or `file-1.bin` for each part that a
 * shell would read. Exported for tests.
 */
export function safeNames(paths: readonly string[]): readonly string[] {
  const safe = paths.length === 1 ? SAFE_WORD : SAFE_NAME
  const parts = new Set(paths.flatMap((path) => path.toLowerCase().split('/')))
  const neutral = new Map<string, string>()
  let count = 0
  const nameOf = (part: string): string => {
    if (safe.test(part)) return part
    let name = neutral.get(part)
    while (name === undefined || parts.has(name.toLowerCase())) {
      name = `file-${++count}${EXTENSIONS.exec(part)?.[0] ?? ''}`
    }
    neutral.set(part, name)
    return name
  }
  return paths.map((path) => path.split('/').map(nameOf).join('/'))
}
