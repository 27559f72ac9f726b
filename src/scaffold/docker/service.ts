/** What an image is made of beside the version: the service that stands in the folder, and what its packages need of Debian. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { usage } from '../../core/errors.ts'
import { nameProblem } from '../../core/names.ts'
import { shellWord } from '../../core/shell.ts'

/** Of service.json and requirements.txt as they stand there: they are what is built, whoever wrote them. */
export interface StandingService {
  readonly model: string
  readonly stage: string
  /** `3.11`; undefined when the training run did not record it. */
  readonly python: string | undefined
  /** Every requirement has its digests. */
  readonly isLocked: boolean
  /** Debian packages whose shared libraries the Python packages load. */
  readonly system: readonly string[]
}

/** @throws usage `SERVICE_MISSING`, `SERVICE_UNREADABLE` */
export async function readService(folder: string, model: string | undefined): Promise<StandingService> {
  const text = await readFile(join(folder, 'service.json'), 'utf8').catch(() => undefined)
  const requirements = await readFile(join(folder, 'requirements.txt'), 'utf8').catch(() => undefined)
  if (text === undefined || requirements === undefined) {
    throw usage({
      code: 'SERVICE_MISSING',
      message: `There is no service in ${folder}, and an image is that of a service.`,
      hint: `Write one first: mlops scaffold fastapi ${model === undefined ? 'MODEL' : shellWord(model)}`,
    })
  }
  const facts = parsed(text)
  const { model: served, stage, python } = facts
  if (typeof served !== 'string' || nameProblem(served) !== undefined) throw unreadable(folder, 'it names no model')
  if (typeof stage !== 'string' || nameProblem(stage) !== undefined) throw unreadable(folder, 'it names no stage')
  const packages = namesOf(requirements)
  return {
    model: served,
    stage,
    python: typeof python === 'string' && /^3\.\d{1,2}$/.test(python) ? python : undefined,
    isLocked: requirements.includes('--hash=sha256:'),
    system: packages.some((name) => OPENMP.has(name)) ? ['libgomp1'] : [],
  }
}

/** Their wheels load the OpenMP of the system, which slim images lack; scikit-learn and PyTorch bring theirs. */
const OPENMP = new Set(['lightgbm', 'xgboost', 'xgboost-cpu'])

const namesOf = (requirements: string): string[] =>
  requirements
    .split('\n')
    .map((line) => /^[A-Za-z0-9][A-Za-z0-9._-]*/.exec(line)?.[0] ?? '')
    .map((name) => name.toLowerCase().replace(/[-_.]+/g, '-'))

function parsed(text: string): Record<string, unknown> {
  try {
    const found: unknown = JSON.parse(text)
    return typeof found === 'object' && found !== null ? { ...found } : {}
  } catch {
    return {}
  }
}

const unreadable = (folder: string, why: string) =>
  usage({
    code: 'SERVICE_UNREADABLE',
    message: `${join(folder, 'service.json')} cannot be used: ${why}.`,
    hint: 'See what is out of date: mlops scaffold status',
  })
