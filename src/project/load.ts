/**
 * Finds and reads a project: `mlops.yaml`, its root, its store. On the start-up path of every command, so it reads a
 * handful of files synchronously and imports nothing heavy (js-yaml only when there is a file to read).
 */
import { existsSync, lstatSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { failed, MlopsError, notFound, systemCode, usage } from '../core/errors.ts'
import type { Config, ModelConfig, Project } from './config.ts'
import { defaultConfig, defaultModel, readConfig } from './config-read.ts'
import { CONFIG_NAME, type Found, findProject, mapPath, projectsAbove } from './find.ts'
import { configError } from './problems.ts'
import { MAX_BYTES, parseYaml, tooLarge, type YamlNode } from './yaml.ts'

export interface LoadRequest {
  /** Absolute. */
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** `--store`, relative to `cwd` or absolute. */
  readonly store?: string | undefined
}

/**
 * Order of the store: `--store`, `MLOPS_STORE`, the nearest `mlops.yaml` upwards, the main worktree.
 *
 * A store that was named brings its project with it, wherever one stands: its gates, thresholds and column types must
 * not fall back to defaults. So the project is the nearest `mlops.yaml` upwards if that is its store, else the nearest
 * one upwards from the store that says so, else whatever is upwards from here.
 *
 * @throws usage `CONFIG_INVALID` with every problem of `mlops.yaml`, `STORE_PATH_INVALID`, `CONFIG_MISNAMED`,
 *   `CONFIG_NOT_TRUSTED`; failed `CONFIG_UNREADABLE`
 */
export async function loadProject(request: LoadRequest): Promise<Project> {
  const { cwd, env } = request
  const named = explicitStore(cwd, env, request.store)
  const here = findProject(cwd)
  if (named === undefined) return projectOf(trusted(here, cwd), cwd)
  const nearest = here.file === undefined ? undefined : projectOf(here, cwd)
  if (nearest !== undefined && isSameStore(nearest.storeRoot, named)) return { ...nearest, storeRoot: named }
  for (const found of projectsAbove(named)) {
    const project = projectOf(found, cwd)
    if (isSameStore(project.storeRoot, named)) return { ...project, storeRoot: named }
  }
  return { ...(nearest ?? projectOf(trusted(here, cwd), cwd)), storeRoot: named, coversStore: false }
}

/** The project of a folder alone, for `init`: whatever a named store belongs to, this folder is to become one. */
export async function loadProjectHere({ cwd, env, store }: LoadRequest): Promise<Project> {
  const named = explicitStore(cwd, env, store)
  const project = projectOf(findProject(cwd), cwd)
  return { ...project, storeRoot: named ?? project.storeRoot }
}

function projectOf(found: Found, cwd: string): Project {
  if (found.misnamed !== undefined) {
    throw usage({
      code: 'CONFIG_MISNAMED',
      message: `There is a mlops.yml here, but the file must be called ${CONFIG_NAME}.`,
      hint: `mv mlops.yml ${CONFIG_NAME}`,
    })
  }
  const { file, root } = found
  const config = file === undefined ? defaultConfig() : readConfigFile(file, cwd)
  const covers = { coversStore: file !== undefined, storeRoot: configuredStore(found, config) }
  return { root, ...(file === undefined ? {} : { file }), config, ...covers }
}

/** @throws usage `CONFIG_NOT_TRUSTED`: ignoring the file would drop gates that may be meant */
function trusted(found: Found, cwd: string): Found {
  if (found.planted === undefined) return found
  throw notTrusted(found.planted, cwd)
}

export const notTrusted = (file: string, cwd: string): MlopsError =>
  usage({
    code: 'CONFIG_NOT_TRUSTED',
    message: `${displayPath(file, cwd)} belongs to another user (uid ${lstatSync(file, { throwIfNoEntry: false })?.uid ?? '?'}) and lies in ${dirname(file)}, where everybody may write. It was not read: the commands in it would run as you.`,
    hint: `Make this folder a project of its own: mlops init . Or, if the file is meant, become its owner or move it to a folder of your team`,
    details: { file },
  })

/**
 * Why the gates of `model` may not be those its team wrote down; undefined when they are. For whoever judges by them.
 */
export function missingConfig(project: Project, model: string): string | undefined {
  const { file, config, coversStore, storeRoot } = project
  if (file === undefined) {
    return `There is no ${CONFIG_NAME} here that belongs to the store ${storeRoot}: the default gates were judged, not those of a project.`
  }
  if (coversStore !== false || Object.hasOwn(config.models, model)) return undefined
  return `${file} names another store and no model ${model}: the default gates were judged. Stand in the project of ${storeRoot} to have its own.`
}

/**
 * Reads the project once more, for whoever commits what was judged by it a while ago. Undefined where no file was read:
 * then nothing can have changed.
 */
export function rereadOf(
  { file, storeRoot }: Project,
  { cwd, env }: Pick<LoadRequest, 'cwd' | 'env'>,
): (() => Promise<Project>) | undefined {
  return file === undefined ? undefined : () => loadProject({ cwd, env, store: storeRoot })
}

/** What is configured for `model`: its entry in `mlops.yaml`, or the defaults. */
export function modelConfig(project: Project, model: string): ModelConfig {
  return Object.hasOwn(project.config.models, model) ? (project.config.models[model] ?? defaultModel()) : defaultModel()
}

/** @param cwd problems name the file relative to it */
function readConfigFile(file: string, cwd: string): Config {
  const { node, name } = readYamlFile(file, cwd, 'Every key: mlops help configuration')
  const { config, problems } = readConfig(node, name)
  if (problems.length > 0) throw configError(problems, 'Every key: mlops help configuration')
  return config
}

/**
 * A YAML file as a tree, for `mlops.yaml` and the policy file.
 *
 * @throws usage `CONFIG_INVALID` for what is not acceptable YAML; failed `CONFIG_UNREADABLE`; notFound
 *   `CONFIG_NOT_FOUND`
 */
export function readYamlFile(file: string, cwd: string, hint: string): { node: YamlNode; name: string } {
  const name = displayPath(file, cwd)
  const parsed = parseYaml(readConfigBytes(file, name), name)
  if ('problem' in parsed) throw configError([parsed.problem], hint)
  return { node: parsed.node, name }
}

function readConfigBytes(file: string, name: string): Uint8Array {
  try {
    const facts = statSync(file)
    // A pipe would block for ever, and a device has no end.
    if (!facts.isFile()) {
      throw failed({ code: 'CONFIG_UNREADABLE', message: `${name} is not a file.`, hint: `Look at it: ls -ld ${name}` })
    }
    if (facts.size > MAX_BYTES)
      throw configError([tooLarge(name, facts.size)], 'Configuration is short; is this the right file?')
    return readFileSync(file)
  } catch (error) {
    const code = systemCode(error)
    if (error instanceof MlopsError || code === undefined) throw error
    if (code === 'ENOENT' && lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() === true) {
      throw failed({
        code: 'CONFIG_UNREADABLE',
        message: `${name} is a symbolic link to something that is not there.`,
        hint: `See where it points: ls -l ${name}`,
        cause: error,
      })
    }
    if (code === 'ENOENT') {
      throw notFound({
        code: 'CONFIG_NOT_FOUND',
        message: `There is no file ${name}.`,
        hint: 'Check the path; it is relative to where you stand.',
        cause: error,
      })
    }
    throw failed({
      code: 'CONFIG_UNREADABLE',
      message: `${name} cannot be read (${code}).`,
      hint: `Check its permissions: ls -l ${name}`,
      cause: error,
    })
  }
}

export function explicitStore(cwd: string, env: LoadRequest['env'], flag: string | undefined): string | undefined {
  if (flag !== undefined && flag !== '') return resolve(cwd, flag)
  const variable = env.MLOPS_STORE
  if (variable === undefined || variable === '') return undefined
  if (isAbsolute(variable)) return resolve(variable)
  throw usage({
    code: 'STORE_PATH_INVALID',
    message: `MLOPS_STORE must be an absolute path, and ${JSON.stringify(variable)} is not: it would mean another folder for every working directory.`,
    hint: `export MLOPS_STORE="$PWD/${variable}"`,
  })
}

/**
 * The store that the configuration names. A linked worktree has none of its own: the ignored folder would die with
 * the worktree, so the main worktree's is meant, unless somebody has made one here.
 */
export function configuredStore({ root, worktrees }: Found, config: Pick<Config, 'store'>): string {
  const here = resolve(root, config.store)
  if (worktrees === undefined || existsSync(join(here, 'registry.json'))) return here
  return mapPath(here, worktrees.linked, worktrees.main)
}

/** The same folder, also by way of links, also when it does not exist yet. */
const isSameStore = (a: string, b: string): boolean => a === b || realPath(a) === realPath(b)

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return dirname(path) === path ? path : join(realPath(dirname(path)), basename(path))
  }
}

/** As short as it is still unmistakable: relative to where the user stands, unless that climbs far. */
export function displayPath(path: string, cwd: string): string {
  const short = relative(cwd, path)
  return short === '' ? '.' : short.startsWith('../../..') ? path : short
}
