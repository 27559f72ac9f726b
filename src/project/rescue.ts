/**
 * A project whose `mlops.yaml` cannot be read, as far as a rollback at night needs one: its folder and its store. What
 * else the file says is not believed, and not guessed. Every other command refuses such a file (`load.ts`).
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isMlopsError, MlopsError } from '../core/errors.ts'
import type { Project } from './config.ts'
import { defaultConfig } from './config-read.ts'
import { findProject } from './find.ts'
import { configuredStore, explicitStore, type LoadRequest } from './load.ts'

export interface Rescued {
  readonly project: Project
  /** `mlops.yaml:3: expected a number`. */
  readonly problem: string
}

/** A file of somebody else's is no broken one: it is not passed over. */
const BROKEN = ['CONFIG_INVALID', 'CONFIG_UNREADABLE']

/**
 * @param error what `loadProject` threw
 * @throws the same where it says something else, or where it is not certain which store is meant
 */
export function rescueProject(request: LoadRequest, error: unknown): Rescued {
  if (!isMlopsError(error) || !BROKEN.includes(error.code)) throw error
  const found = findProject(request.cwd)
  const { file } = found
  if (file === undefined) throw error
  const named = explicitStore(request.cwd, request.env, request.store)
  const written = named === undefined ? storeWritten(file) : undefined
  const storeRoot = named ?? (written === undefined ? undefined : configuredStore(found, written))
  if (storeRoot === undefined || !existsSync(join(storeRoot, 'registry.json'))) throw withStoreFlag(error)
  const [first = '', ...others] = error.message.split('\n')
  const more = others.length > 0 ? ` (and ${others.length} more)` : ''
  const config = defaultConfig()
  return {
    project: { root: found.root, file, config, storeRoot, coversStore: false },
    problem: `${first.replace(/\.$/, '')}${more}`,
  }
}

/** The line `store:` of a file that may be no YAML; undefined where it cannot be read, or more than one thing is said. */
function storeWritten(file: string): { readonly store: string } | undefined {
  let text: string
  try {
    // Reading a pipe would wait for its writer for ever.
    if (!statSync(file).isFile()) return undefined
    text = readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
  const lines = text.split('\n').filter((line) => /^\s*["']?store["']?\s*:/.test(line))
  if (lines.length === 0) return { store: defaultConfig().store }
  const [line = ''] = lines
  const plain = /^store:[ \t]+(["']?)([\w./~ -]+?)\1[ \t]*(?:#.*)?\r?$/.exec(line)?.[2]
  // As `mlops init --remote` writes it; which branch it is, the folder itself knows.
  const shared = /^store:[ \t]+\{path: (["']?)([\w./~ -]+?)\1, [^{}]*\}[ \t]*(?:#.*)?\r?$/.exec(line)?.[2]
  const folder = plain ?? shared
  return lines.length === 1 && folder !== undefined ? { store: folder } : undefined
}

const withStoreFlag = (error: MlopsError): MlopsError =>
  new MlopsError(error.exit, {
    code: error.code,
    message: error.message,
    hint: 'Mend the file; or name the store, and the rollback goes on without it: --store PATH',
    ...(error.details === undefined ? {} : { details: error.details }),
    cause: error,
  })
