/**
 * Commands that go on in the folder of a reproduction which was killed. Only what a reproduction started counts, by the
 * variable that it gives: a shell that somebody opened in the folder is theirs. Linux alone says where a process stands.
 */
import { readdir, readFile, readlink } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { isIn } from './find-data.ts'

/** Milliseconds between SIGTERM and SIGKILL. */
const GRACE = 1_500

/** Ends them. @returns how many there were */
export async function endOrphans(root: string): Promise<number> {
  const found = await orphansIn(root)
  if (found.length === 0) return 0
  for (const pid of found) send(pid, 'SIGTERM')
  for (let waited = 0; waited < GRACE && (await orphansIn(root)).length > 0; waited += 50) await sleep(50)
  for (const pid of await orphansIn(root)) send(pid, 'SIGKILL')
  return found.length
}

async function orphansIn(root: string): Promise<number[]> {
  const found: number[] = []
  for (const name of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue
    const folder = await readlink(`/proc/${name}/cwd`).catch(() => undefined)
    if (folder === undefined || !isIn(root, folder)) continue
    const variables = await readFile(`/proc/${name}/environ`, 'latin1').catch(() => '')
    if (variables.split('\0').some((each) => each.startsWith('MLOPS_REPRODUCES='))) found.push(Number(name))
  }
  return found
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended meanwhile.
  }
}
