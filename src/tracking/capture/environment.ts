/** What of the machine and its environment belongs to a run: an allowlist of variables, and the host. Reads the machine alone. */
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, hostname, machine, release, totalmem, type } from 'node:os'
import { redact } from '../../core/redact.ts'
import type { RunStart } from '../../store/run-records.ts'

/**
 * Variables that decide how a training run comes out, or name the CI job it ran in. Nothing else is recorded: what is
 * not on this list may be a secret. The same list stands in templates/python/mlops/_environment.py; a test compares.
 */
export const ENV_ALLOWED = [
  'CI',
  'CI_COMMIT_SHA',
  'CI_JOB_ID',
  'CI_PIPELINE_ID',
  'CONDA_DEFAULT_ENV',
  'CONDA_PREFIX',
  'CUBLAS_WORKSPACE_CONFIG',
  'CUDA_VISIBLE_DEVICES',
  'GITHUB_JOB',
  'GITHUB_REF',
  'GITHUB_REPOSITORY',
  'GITHUB_RUN_ATTEMPT',
  'GITHUB_RUN_ID',
  'GITHUB_SHA',
  'GITHUB_WORKFLOW',
  'LANG',
  'LC_ALL',
  'LOCAL_RANK',
  'MKL_NUM_THREADS',
  'MLOPS_SEED',
  'NUMEXPR_NUM_THREADS',
  'OMP_NUM_THREADS',
  'OPENBLAS_NUM_THREADS',
  'PYTHONHASHSEED',
  'PYTHONPATH',
  'RANK',
  'TF_CUDNN_DETERMINISTIC',
  'TF_DETERMINISTIC_OPS',
  'TOKENIZERS_PARALLELISM',
  'TZ',
  'VIRTUAL_ENV',
  'WORLD_SIZE',
] as const

export function allowedEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name of ENV_ALLOWED) {
    const value = env[name]
    if (value !== undefined) kept[name] = redact(value.toWellFormed()).text
  }
  return kept
}

/** Named as Python's `platform` names it, so that runs of both writers compare. `memory` in bytes. Without GPUs. */
export function hostFacts(): RunStart['host'] {
  const cpu = processor()
  return {
    name: hostname(),
    platform: `${type()} ${machine()}`.toLowerCase(),
    cpus: availableParallelism(),
    memory: totalmem(),
    ...(cpu === undefined ? {} : { cpu }),
    release: release(),
  }
}

/** As its maker names it. `os.cpus()` reads the clock of each core besides: milliseconds on a large machine. */
function processor(): string | undefined {
  const name = process.platform === 'linux' ? /^model name\s*:(.*)$/m.exec(readCpuInfo())?.[1] : cpus()[0]?.model
  const words = name?.trim().split(/\s+/).join(' ')
  return words === '' || words === 'unknown' ? undefined : words
}

function readCpuInfo(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8')
  } catch {
    return ''
  }
}
