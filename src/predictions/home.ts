/**
 * Where the log of a model lives (docs/prediction-log.md, section 1) and how long it is kept. What lies there is read
 * by `days.ts` (files) and `postgres.ts`.
 */
import { isAbsolute, join, relative, resolve } from 'node:path'
import type { Context } from '../core/context.ts'
import { usage } from '../core/errors.ts'
import { assertName } from '../core/names.ts'
import type { Project } from '../project/config.ts'
import { parseDuration } from '../project/duration.ts'
import { displayPath, modelConfig } from '../project/load.ts'

export type LogHome =
  /** `folder` is that of the model: `<home>/<model>`. */
  | { readonly kind: 'files'; readonly home: string; readonly folder: string; readonly name: string }
  | { readonly kind: 'postgres'; readonly url: string; readonly name: string }

/** What a log needs of the world. */
export type LogContext = Pick<Context, 'cwd' | 'env' | 'now' | 'signal' | 'stdin'>

const DEFAULT_KEEP = '90d'
const POSTGRES = /^postgres(?:ql)?:\/\//i

/** @throws usage `PREDICTIONS_PATH_INVALID` for a relative MLOPS_PREDICTIONS; `NAME_INVALID` */
export function logHome(ctx: Pick<Context, 'cwd' | 'env'>, project: Project, model: string): LogHome {
  assertName('model', model)
  const variable = ctx.env.MLOPS_PREDICTIONS
  const place = variable !== undefined && variable !== '' ? fromVariable(variable) : configuredPlace(project, model)
  if (POSTGRES.test(place)) return { kind: 'postgres', url: place, name: withoutCredentials(place) }
  const folder = join(place, model)
  return { kind: 'files', home: place, folder, name: displayPath(folder, ctx.cwd) }
}

function fromVariable(value: string): string {
  if (POSTGRES.test(value)) return value
  if (isAbsolute(value)) return resolve(value)
  throw usage({
    code: 'PREDICTIONS_PATH_INVALID',
    message: `MLOPS_PREDICTIONS must be an absolute path or a postgres:// address, and ${JSON.stringify(value)} is neither: it would mean another folder for every working directory.`,
    hint: `export MLOPS_PREDICTIONS="$PWD/${value}"`,
  })
}

function configuredPlace(project: Project, model: string): string {
  const at = modelConfig(project, model).predictions?.at
  if (at === undefined) return join(project.storeRoot, 'predictions')
  if (POSTGRES.test(at)) return at
  const path = resolve(project.root, at)
  // A place in the configured store is the same place in the store that is in use: MLOPS_STORE, the main worktree.
  const inStore = relative(resolve(project.root, project.config.store), path)
  return inStore === '..' || inStore.startsWith('../') || isAbsolute(inStore) ? path : join(project.storeRoot, inStore)
}

/** `postgres://host/database`: neither user nor password, and no parameters, which may hold one. */
export function withoutCredentials(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url)
    return `${protocol}//${host}${pathname}`
  } catch {
    return 'postgres://…'
  }
}

/** How long predictions are kept. @param flag `--keep` @throws usage `KEEP_INVALID` */
export function keepFor(project: Project, model: string, flag?: string): { text: string; milliseconds: number } {
  const text = flag ?? modelConfig(project, model).predictions?.keep ?? DEFAULT_KEEP
  const milliseconds = parseDuration(text)
  if (milliseconds !== undefined) return { text, milliseconds }
  throw usage({
    code: 'KEEP_INVALID',
    message: `--keep expects a duration such as 30d, not ${JSON.stringify(text)}.`,
    hint: 'Units are s, m, h, d and w, for example --keep 90d',
  })
}
