/** The environment of a reproduction: fresh from the record, the present one, or none; and how it differs from the record. */
import { existsSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import type { Context } from '../../core/context.ts'
import { failed } from '../../core/errors.ts'
import { ENV_ALLOWED } from '../capture/environment.ts'
import type { PackageFacts } from '../compare/facts.ts'
import { packagesOfEnvironment, packagesOfLock } from '../compare/package-facts.ts'
import { environmentDifferences, type PackageDifference, packageWords } from './environment-difference.ts'
import { makeEnvironment, probe, pythonIn } from './fresh-environment.ts'
import { mapCommand, placeInCheckout } from './map-command.ts'
import { installPlan } from './requirements.ts'
import { mirrored, type Tree } from './tree.ts'
import type { Facts } from './types.ts'
import { reproducedVariables } from './variables.ts'
import type { Workshop } from './workshop.ts'

export interface Prepared {
  /** Absolute folder of a fresh environment. */
  readonly folder: string | undefined
  /** Folder of its programs, or of those of the present one. */
  readonly bin: string | undefined
  readonly executable: string | undefined
  readonly differences: readonly PackageDifference[]
  /** One phrase. */
  readonly detail: string
}

const NONE: Prepared = {
  ...{ folder: undefined, bin: undefined, executable: undefined, differences: [] },
  detail: 'not recorded; the programs of this machine',
}

/** @throws failed `ENVIRONMENT_FAILED`, `ENVIRONMENT_DIFFERS` */
export async function prepareEnvironment(
  ctx: Context,
  facts: Facts,
  tree: Tree,
  workshop: Workshop,
): Promise<Prepared> {
  const { original, environment } = facts
  if (original.start.python === undefined) return NONE
  const here = { cwd: tree.cwd, root: tree.root }
  if (environment.wanted === 'current') {
    const executable = environment.interpreter?.executable ?? 'python3'
    const differences = await differencesHere(ctx, original.facts.packages, executable, here)
    const detail = `the present one, ${differences.length === 0 ? 'as recorded' : differs(differences)}`
    return { folder: undefined, bin: dirname(executable), executable, differences, detail }
  }
  const plan = installPlan(environment.packages ?? [], tree.root)
  const folder = folderFor(facts, tree, workshop)
  await makeEnvironment(ctx, { facts: environment, plan, folder, scratch: workshop.root })
  const executable = await pythonIn(folder)
  const differences = await differencesHere(ctx, original.facts.packages, executable, here)
  const wrong = differences.filter(({ kind }) => kind === 'missing' || kind === 'version')
  if (wrong.length > 0) {
    throw failed({
      code: 'ENVIRONMENT_DIFFERS',
      message: `The fresh environment is not the recorded one: ${wrong.slice(0, 5).map(packageWords).join('; ')}.`,
      hint: 'With the packages that are installed here: --environment current',
      details: { problems: wrong.map(packageWords) },
    })
  }
  const detail = `Python ${environment.interpreter?.version ?? ''}, ${plan.count} ${plan.count === 1 ? 'package' : 'packages'}${plan.hashed === 0 ? '' : ` (${plan.hashed} by hash)`}`
  return { folder, bin: join(folder, 'bin'), executable, differences, detail }
}

/** Where it lay in the checkout, so that scripts which name it there find it; otherwise beside the worktree. */
function folderFor({ original }: Facts, tree: Tree, workshop: Workshop): string {
  const inside = placeInCheckout(original.start.python?.executable, tree.top)
  const place = inside === undefined ? undefined : join(tree.mirror, inside)
  return place === undefined || existsSync(place) ? workshop.environment : place
}

async function differencesHere(
  ctx: Context,
  recorded: PackageFacts,
  executable: string,
  { cwd, root }: { readonly cwd: string; readonly root: string },
): Promise<PackageDifference[]> {
  const found = await probe(ctx, executable, cwd, root)
  const here =
    found.environment === undefined
      ? packagesOfLock(found.packages.join('\n'))
      : packagesOfEnvironment(found.environment)
  return environmentDifferences(recorded, here)
}

function differs(differences: readonly PackageDifference[]): string {
  const more = differences.length > 3 ? ` and ${differences.length - 3} more` : ''
  return `${differences.slice(0, 3).map(packageWords).join(', ')}${more}`
}

/** The command and its variables, as they are in this tree. */
export function commandIn(ctx: Context, facts: Facts, tree: Tree, prepared: Prepared) {
  const { start } = facts.original
  const { bin } = prepared
  const command = mapCommand(start.command, {
    cwd: tree.from,
    top: tree.top,
    mirror: tree.mirror,
    executable: start.python?.executable,
    bin,
    has: (name) => bin !== undefined && existsSync(join(bin, name)),
  })
  const env = reproducedVariables({
    env: ctx.env,
    allowed: ENV_ALLOWED,
    recorded: start.env,
    seed: start.seed ?? null,
    environment: prepared.folder,
    mapPath: (path) => mirrored(path, tree),
  })
  const isOwn =
    bin !== undefined && prepared.folder === undefined && !['/bin', '/usr/bin', '/usr/local/bin'].includes(bin)
  return { command, env: isOwn ? { ...env, PATH: [bin, ctx.env.PATH ?? ''].join(delimiter) } : env }
}
