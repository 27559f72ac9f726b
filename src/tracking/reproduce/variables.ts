/**
 * The environment variables of a reproduction: those that decide how a training comes out as they were recorded, all
 * others as they are now, so that the command finds its home, its tools and its credentials. Pure.
 */
import { delimiter } from 'node:path'
import { REDACTED } from '../../core/redact.ts'
import { isJobIdentity } from '../compare/facts.ts'
import type { Env } from './program.ts'

/** Of the environment itself: the fresh one takes their place. */
const OF_ENVIRONMENT = ['VIRTUAL_ENV', 'CONDA_PREFIX', 'CONDA_DEFAULT_ENV', 'PYTHONHOME', 'UV_PROJECT_ENVIRONMENT']

export interface VariablesRequest {
  readonly env: Env
  /** Names that are recorded of every run (`ENV_ALLOWED`). */
  readonly allowed: readonly string[]
  readonly recorded: Readonly<Record<string, string>>
  readonly seed: number | null
  /** Folder of the fresh environment; undefined: the present one is used. */
  readonly environment: string | undefined
  /** A path of the user's checkout as it is in the worktree. */
  readonly mapPath: (path: string) => string
}

export function reproducedVariables(request: VariablesRequest): Record<string, string | undefined> {
  const { env, recorded, environment } = request
  const out: Record<string, string | undefined> = { ...env }
  for (const name of request.allowed) {
    // Which job runs is a fact of today, and a script that asks for it must not be lied to.
    if (isJobIdentity(name) || OF_ENVIRONMENT.includes(name)) continue
    const value = Object.hasOwn(recorded, name) ? recorded[name] : undefined
    if (value?.includes(REDACTED)) continue
    out[name] = name === 'PYTHONPATH' ? value?.split(delimiter).map(request.mapPath).join(delimiter) : value
  }
  // A run of the user's own must not take this for a part of itself.
  for (const name of ['MLOPS_RUN_ID', 'MLOPS_RUN_DIR', 'MLOPS_RUN_MODEL', 'MLOPS_SEED', 'MLOPS_REPRODUCES'])
    out[name] = undefined
  if (request.seed !== null) out.MLOPS_SEED = String(request.seed)
  if (environment === undefined) return out
  for (const name of OF_ENVIRONMENT) out[name] = undefined
  return {
    ...out,
    VIRTUAL_ENV: environment,
    PATH: [`${environment}/bin`, env.PATH].filter((part) => part !== undefined && part !== '').join(delimiter),
    // `uv run` that stays in the command, and scripts that call it, take the fresh environment as it is.
    UV_PROJECT_ENVIRONMENT: environment,
    UV_NO_SYNC: '1',
    PYTHONNOUSERSITE: '1',
  }
}

/** In words: what is recorded and cannot be set again. */
export const lostVariables = (recorded: Readonly<Record<string, string>>): string[] =>
  Object.entries(recorded).flatMap(([name, value]) =>
    value.includes(REDACTED) ? [`A part of the variable ${name} was redacted; its present value is used.`] : [],
  )
