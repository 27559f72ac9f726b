/** What is known here of a run that is to be repeated: its code, its data, its environment. Reads only. */
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import type { Context } from '../../core/context.ts'
import type { Project } from '../../project/config.ts'
import type { EnvironmentRecord, LockedPackage } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'
import { findOnPath, isExecutable } from '../capture/find-program.ts'
import { findInterpreter } from '../capture/interpreter.ts'
import { findData } from './find-data.ts'
import { askPython, findPython, wantedPython } from './find-python.ts'
import { assertPlainRecord } from './record-paths.ts'
import { readCode, repositoryOf, runFolder } from './repository.ts'
import { packagesOfText } from './requirements.ts'
import type { EnvironmentFacts, Facts, FoundInterpreter, Original, ReproduceRequest } from './types.ts'

export async function gatherFacts(
  ctx: Context,
  project: Project,
  store: Store,
  original: Original,
  request: ReproduceRequest,
): Promise<Facts> {
  const { start } = original
  const cwd = runFolder(project, start)
  assertPlainRecord(start, { cwd, top: repositoryOf(project, start) ?? null })
  ctx.progress?.('looking for the code')
  const code = await readCode(ctx, project, store, start)
  const place = { top: code.top, commit: code.hasCommit ? (start.git?.commit ?? null) : null }
  const data = await findData(ctx, store, start.data, request.data, { ...place, cwd })
  ctx.progress?.('looking for the environment')
  const environment = await readEnvironment(ctx, project, store, original, request)
  return {
    original,
    code,
    data,
    environment,
    allowOutside: request.allowOutside,
    here: { actor: ctx.actor.name, host: hostname() },
  }
}

async function readEnvironment(
  ctx: Context,
  project: Project,
  store: Store,
  original: Original,
  { environment: wanted }: ReproduceRequest,
): Promise<EnvironmentFacts> {
  const { start, facts } = original
  const { python } = start
  const record: EnvironmentRecord | null = facts.environment
  const packages = record?.packages ?? (await packagesOfLock(store, original))
  const none = { record, packages, interpreter: null, installer: null, wanted }
  if (python === undefined) return none
  if (wanted === 'current') {
    return { ...none, interpreter: (await currentPython(ctx, project, original)) ?? null }
  }
  const isConda = (packages ?? []).some(({ from }) => from?.kind === 'conda')
  const interpreter = isConda ? undefined : await findPython(ctx, wantedPython(python, record, isOfHere(start)))
  return { ...none, interpreter: interpreter ?? null, installer: await findInstaller(ctx, isConda) }
}

/** A path of another machine says nothing of what lies there here, and a program is run to ask for its version. */
const isOfHere = ({ host }: Original['start']): boolean => host.name === hostname()

async function packagesOfLock(store: Store, { start }: Original): Promise<readonly LockedPackage[] | null> {
  const lock = start.python?.lock
  if (lock === undefined || !(await store.objects.has(lock.sha256))) return null
  return packagesOfText((await store.objects.read(lock.sha256)).toString('utf8'))
}

async function findInstaller(ctx: Context, isConda: boolean): Promise<EnvironmentFacts['installer']> {
  const names = isConda ? (['micromamba', 'mamba', 'conda'] as const) : (['uv'] as const)
  for (const name of names) if ((await findOnPath(name, ctx.env, ctx.cwd)) !== undefined) return name
  return isConda ? null : 'pip'
}

/** The interpreter that the command would use if somebody typed it today. */
async function currentPython(
  ctx: Context,
  project: Project,
  { start }: Original,
): Promise<FoundInterpreter | undefined> {
  const recorded = start.python?.executable
  if (recorded !== undefined && isOfHere(start) && (await isExecutable(recorded))) return await askPython(ctx, recorded)
  const found = await findInterpreter(start.command, resolve(project.root, start.cwd), ctx.env)
  return found === undefined || 'unknown' in found ? undefined : await askPython(ctx, found.program)
}
