/**
 * Finds and reads a project: `mlops.yaml`, its root, its store. On the start-up path of every command, so it reads a
 * handful of files synchronously and imports nothing heavy (js-yaml only when there is a file to read).
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { isAbsolute, join, relative, resolve } from 'node:path'
import { failed, MlopsError, notFound, systemCode, usage } from '../core/errors.ts'
import type { Config, ModelConfig, Project } from './config.ts'
import { defaultConfig, defaultModel, readConfig } from './config-read.ts'
import { CONFIG_NAME, type Found, findProject, mapPath } from './find.ts'
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
 * @throws usage `CONFIG_INVALID` with every problem of `mlops.yaml`, `STORE_PATH_INVALID`, `CONFIG_MISNAMED`; failed
 *   `CONFIG_UNREADABLE`
 */
export async function loadProject({ cwd, env, store }: LoadRequest): Promise<Project> {
  const found = findProject(cwd)
  if (found.misnamed !== undefined) {
    throw usage({
      code: 'CONFIG_MISNAMED',
      message: `There is a mlops.yml here, but the file must be called ${CONFIG_NAME}.`,
      hint: `mv mlops.yml ${CONFIG_NAME}`,
    })
  }
  const config = found.file === undefined ? defaultConfig() : readConfigFile(found.file, cwd)
  return {
    root: found.root,
    ...(found.file === undefined ? {} : { file: found.file }),
    config,
    storeRoot: explicitStore(cwd, env, store) ?? configuredStore(found, config),
  }
}

/** What is configured for `model`: its entry in `mlops.yaml`, or the defaults. */
export function modelConfig(project: Project, model: string): ModelConfig {
  return Object.hasOwn(project.config.models, model) ? (project.config.models[model] ?? defaultModel()) : defaultModel()
}

/** @param cwd problems name the file relative to it */
export function readConfigFile(file: string, cwd: string): Config {
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

function explicitStore(cwd: string, env: LoadRequest['env'], flag: string | undefined): string | undefined {
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
function configuredStore({ root, worktrees }: Found, config: Config): string {
  const here = resolve(root, config.store)
  if (worktrees === undefined || existsSync(join(here, 'registry.json'))) return here
  return mapPath(here, worktrees.linked, worktrees.main)
}

/** As short as it is still unmistakable: relative to where the user stands, unless that climbs far. */
export function displayPath(path: string, cwd: string): string {
  const short = relative(cwd, path)
  return short === '' ? '.' : short.startsWith('../../..') ? path : short
}
