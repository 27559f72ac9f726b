/**
 * Which Python a running command has become. `python` may be a script that looks for the right one and then is replaced
 * by it (the shims of pyenv and asdf); asking through such a script again would cost all of its search once more.
 */
import { open, readFile, readlink, realpath } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { isPython } from './interpreter.ts'

/** Milliseconds: between two looks, and altogether. A shim of pyenv takes a tenth of a second. */
const LOOK = 10
const PATIENCE = 1_000

/**
 * @param pid the process of a command whose first word is `program`
 * @returns the absolute path by which it was started, so that a virtual environment is one; `program` itself where that
 *   is no script, where the system does not tell, and when the command ended before it could be seen
 */
export async function startedPython(program: string, pid: number, signal?: AbortSignal): Promise<string> {
  if (process.platform !== 'linux' || !(await isScript(program))) return program
  for (let waited = 0; waited < PATIENCE && signal?.aborted !== true; waited += LOOK) {
    const exe = await readlink(`/proc/${pid}/exe`).catch(() => undefined)
    if (exe === undefined) return program
    if (isPython(exe)) {
      const word = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0')[0] ?? ''
      const isIt = isAbsolute(word) && isPython(word) && (await realpath(word).catch(() => undefined)) === exe
      return isIt ? word : program
    }
    await pause(LOOK)
  }
  return program
}

async function isScript(path: string): Promise<boolean> {
  const file = await open(path, 'r').catch(() => undefined)
  if (file === undefined) return false
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0)
    return buffer.toString('latin1', 0, bytesRead) === '#!'
  } finally {
    await file.close()
  }
}
