// Preloaded into `mlops`: kills the process before its n-th call that changes a name (rename, unlink), as a crash would.
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

let left = Number(process.env.KILL_AT)
for (const name of ['rename', 'unlink']) {
  const real = promises[name]
  promises[name] = (...args) => {
    if (String(args[0]).includes('.mlops-scaffold') || String(args[1]).includes('service')) {
      left -= 1
      if (left === 0) process.kill(process.pid, 'SIGKILL')
    }
    return real(...args)
  }
}
syncBuiltinESMExports()
