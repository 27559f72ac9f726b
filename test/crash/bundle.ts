/** One file of plain JavaScript from a worker's sources: a process then starts in 50 ms instead of tsx's 500. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** @returns absolute path of the bundle, in a temporary folder that the system clears */
export async function bundleWorker(source = './worker.ts'): Promise<string> {
  const outfile = join(mkdtempSync(join(tmpdir(), 'mlops-worker-')), 'worker.mjs')
  await build({
    entryPoints: [fileURLToPath(new URL(source, import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
  })
  return outfile
}
