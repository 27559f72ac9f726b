/** What all workflows of a project share: the runner, the store, the branch, the program. */
import { readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { usage } from '../../core/errors.ts'
import { findGitTop } from '../../project/find.ts'
import { branchProblem } from '../../store/git-names.ts'
import { type GenerateRequest, listOption, textOption, type World } from '../generators.ts'

export const CLOUDS = ['none', 'gcp', 'aws', 'azure'] as const
export type Cloud = (typeof CLOUDS)[number]

export interface Settings {
  /** One label, or several that a runner must all have. */
  readonly runner: string | readonly string[]
  /** Runners of GitHub: they see nothing of ours. */
  readonly isHosted: boolean
  /** The store is a folder that the runner sees, at `store`. */
  readonly isShared: boolean
  readonly store: string
  /** The store is a branch of the repository of the workflows, so their own token opens it. */
  readonly isOwnRemote: boolean
  readonly branch: string
  readonly stages: readonly string[]
  readonly promoteTo: string
  /** `3.12` */
  readonly pythonVersion: string
  /** What package.json asks for. */
  readonly spec: string
  readonly version: string
  readonly image: string
  readonly cloud: Cloud
  /** The image goes to GitHub's own registry. */
  readonly packages: boolean
}

/** @throws usage `STORE_NOT_REACHED`, `BRANCH_INVALID`, `IMAGE_INVALID`, `PYTHON_INVALID` */
export function settingsOf(world: World, request: GenerateRequest): Settings {
  const { project, ctx } = world
  const labels = listOption(request, 'runner')
  const runner = labels.length === 0 ? ['ubuntu-24.04'] : labels
  const isHosted = runner.every((label) => /^(?:ubuntu|windows|macos)-/.test(label))
  const { stages } = project.config
  const version = ctx.tool.replace(/^mlops /, '')
  const image = imageOf(request)
  return {
    runner: runner.length === 1 ? (runner[0] ?? '') : runner,
    isHosted,
    ...storeOf(world, request, isHosted),
    branch: branchOf(world, request),
    stages,
    promoteTo: stages.includes('production') ? 'production' : (stages.at(-1) ?? 'production'),
    pythonVersion: pythonOf(request),
    spec: textOption(request, 'mlops') ?? version,
    version,
    image,
    cloud: CLOUDS.find((cloud) => cloud === textOption(request, 'cloud')) ?? 'none',
    packages: image.startsWith('ghcr.io/'),
  }
}

function storeOf(
  { project }: World,
  request: GenerateRequest,
  isHosted: boolean,
): Pick<Settings, 'isShared' | 'store' | 'isOwnRemote'> {
  const path = textOption(request, 'runner-store')
  const { sharing } = project.config
  if (path !== undefined && isAbsolute(path) && !isHosted) return { isShared: true, store: path, isOwnRemote: true }
  if (path === undefined && sharing !== undefined)
    return { isShared: false, store: '', isOwnRemote: /^[\w-]+$/.test(sharing.remote) }
  throw usage({
    code: 'STORE_NOT_REACHED',
    message:
      path === undefined
        ? 'A runner does not see this store: it is a folder of this machine.'
        : isHosted
          ? `Runners of GitHub see no folder ${path}.`
          : `--runner-store ${path} is no absolute path.`,
    hint: 'Share it as a branch of the repository: mlops init --remote origin. Or, on runners of your own: --runner LABEL --runner-store /PATH/OF/.mlops',
  })
}

/** What was asked for, what the remote calls its own, `main`. */
function branchOf({ project }: World, request: GenerateRequest): string {
  const branch = textOption(request, 'branch') ?? remoteHead(project.root) ?? 'main'
  const problem = branchProblem(branch)
  if (problem === undefined) return branch
  throw usage({ code: 'BRANCH_INVALID', message: `--branch ${JSON.stringify(branch)}: ${problem}.` })
}

function remoteHead(root: string): string | undefined {
  const top = findGitTop(root)
  if (top === undefined) return undefined
  try {
    const text = readFileSync(join(top, '.git/refs/remotes/origin/HEAD'), 'utf8')
    return /^ref: refs\/remotes\/origin\/(\S+)\s*$/.exec(text)?.[1]
  } catch {
    return undefined
  }
}

function pythonOf(request: GenerateRequest): string {
  const python = textOption(request, 'python') ?? '3.12'
  if (/^3\.\d{1,2}$/.test(python)) return python
  throw usage({ code: 'PYTHON_INVALID', message: `--python ${JSON.stringify(python)} is no 3.MINOR.` })
}

/** The name of an image without a tag: that is the version. */
function imageOf(request: GenerateRequest): string {
  const image = textOption(request, 'image') ?? ''
  if (image === '' || /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d+)?(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+$/.test(image))
    return image
  throw usage({
    code: 'IMAGE_INVALID',
    message: `--image ${JSON.stringify(image)} is no name of an image: a registry and a path, without a tag.`,
    hint: 'For example: --image ghcr.io/acme/churn',
  })
}
