/** The two lists of packages of a service, locked: what it runs with, and what its tests need beside. */
import { usage } from '../../core/errors.ts'
import { versionName } from '../../core/names.ts'
import { flagOption, type GenerateRequest, textOption, type World } from '../generators.ts'
import { interpreters, lockedRequirements, lockKey, unlockedRequirements } from './lock.ts'
import { isRequirement, type Needs } from './packages.ts'
import type { ServedVersion } from './version.ts'

export const REQUIREMENTS = 'requirements.txt'
export const TEST_REQUIREMENTS = 'requirements-test.txt'
const TESTS = ['httpx>=0.27', 'pytest>=8']

export interface Requirements {
  readonly text: string
  /** What the tests need beside: an image has none of it. */
  readonly tests: string
  /** What it was made of; null when it is not locked. */
  readonly key: string | null
}

/** Locked once, and again when what it is made of has changed: pip takes seconds and the network. */
export async function requirementsOf(
  world: World,
  request: GenerateRequest,
  version: ServedVersion,
  needs: Needs,
  python: string | null,
): Promise<Requirements> {
  const { ctx } = world
  const { detail, lock } = version
  const name = versionName(detail.model, detail.version)
  const wrong = needs.roots.find((root) => !isRequirement(root))
  if (wrong !== undefined) {
    throw usage({
      code: 'REQUIREMENT_INVALID',
      message: `--with ${JSON.stringify(wrong)} is no requirement: a name, and bounds if you like.`,
      hint: 'Write for example --with "shap>=0.44"',
    })
  }
  const isRelock = request.options.relock === true
  if (request.options.unlocked === true || (flagOption(request, 'unlocked') && !isRelock)) {
    return { text: unlockedRequirements(needs.roots, lock), tests: unlockedRequirements(TESTS, lock), key: null }
  }
  if (lock === undefined || python === null) throw noLock(name, detail.run !== null)
  const key = lockKey(needs.roots, version.lockDigest, python)
  const last = request.base.get(REQUIREMENTS)
  const lastTests = request.base.get(TEST_REQUIREMENTS)
  const isSame = !isRelock && request.previous?.requirements === key
  if (isSame && last !== undefined && lastTests !== undefined) return { text: last, tests: lastTests, key }
  const isOurs = detail.imported === null
  const programs = interpreters(
    ctx,
    textOption({ ...request, previous: undefined }, 'python'),
    isOurs ? detail.python?.executable : undefined,
    python,
  )
  const locked = (roots: readonly string[], bounds: readonly string[]): Promise<string> =>
    lockedRequirements(ctx, { roots, lock: bounds, python, interpreters: programs })
  const text = isSame && last !== undefined ? last : await locked(needs.roots, lock)
  return { text, tests: await locked(TESTS, pinsOf(text)), key }
}

const noLock = (name: string, hasRun: boolean) =>
  usage({
    code: 'NO_PACKAGE_LOCK',
    message: hasRun
      ? `The run of ${name} recorded no packages, so the service cannot be given the environment the model was trained in.`
      : `${name} was registered without a run, so nobody knows with which packages it was trained.`,
    hint: `Train it under mlops track and register that run, or write requirements without digests: mlops scaffold fastapi ${name.replace(/@.*/, '')} --unlocked`,
  })

/** `name==version` of a requirements.txt of ours: what the tests need may not contradict it. */
const pinsOf = (text: string): string[] => text.split('\n').flatMap((line) => /^[\w.-]+==[^\s\\]+/.exec(line) ?? [])
