/**
 * The graphics cards of the machine, as NVIDIA's own program lists them. It takes from a blink to several seconds, so
 * nobody waits for it: what it has not said when the run ends is not recorded.
 */
import { execFile } from 'node:child_process'
import type { HostFacts } from '../../store/run-records.ts'
import { findOnPath } from './find-program.ts'

type Gpus = NonNullable<HostFacts['gpus']>

const QUERY = ['--query-gpu=name,memory.total,driver_version', '--format=csv,noheader,nounits']
const PATIENCE = 10_000
const MEBIBYTE = 1024 * 1024

/** @returns empty where there is no `nvidia-smi` on PATH, no card, no driver, or no answer in 10 s; never rejects */
export async function askGpus(
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
  signal?: AbortSignal,
): Promise<Gpus> {
  // A process that only finds out that there is no such program costs more than looking. Windows has endings to try.
  if (process.platform !== 'win32' && (await findOnPath('nvidia-smi', env, cwd)) === undefined) return []
  const options = { env: { ...env }, timeout: PATIENCE, windowsHide: true, ...(signal === undefined ? {} : { signal }) }
  return await new Promise((answer) => {
    const child = execFile('nvidia-smi', QUERY, options, (error, stdout) => answer(error ? [] : readGpus(stdout)))
    child.stdin?.end()
  })
}

/** Lines of `name, MiB, driver`; a figure that a card does not have is `[N/A]` or `[Not Supported]`. Pure. */
export function readGpus(csv: string): Gpus {
  return csv.split('\n').flatMap((line) => {
    const fields = line.split(',').map((field) => field.trim())
    const [memory, driver] = fields.slice(-2)
    const name = fields.slice(0, -2).join(', ')
    if (name === '' || memory === undefined || driver === undefined) return []
    return [
      {
        name: name.toWellFormed(),
        ...(/^\d+$/.test(memory) ? { memory: Number(memory) * MEBIBYTE } : {}),
        ...(driver === '' || driver.startsWith('[') ? {} : { driver }),
      },
    ]
  })
}
