/**
 * Preloaded into the built binary: `KILLED_AT=4:after` is kill -9 at the fourth record of the log of retrainings that this
 * process links into the store, before or after the link; `LATER=120000` is a clock that is two minutes ahead.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const [at, when] = (process.env.KILLED_AT ?? '').split(':')
let linked = 0
const link = fs.link
const die = () => process.kill(process.pid, 'SIGKILL')
fs.link = (from, to, done) => {
  const isIt = /jobs[\\/]retrain[\\/]\d+\.json$/.test(String(to)) && ++linked === Number(at)
  if (isIt && when === 'before') return die()
  link(from, to, (error) => (isIt && when === 'after' && error === null ? die() : done(error)))
}
syncBuiltinESMExports()

const later = Number(process.env.LATER ?? 0)
if (later !== 0) {
  const Real = Date
  globalThis.Date = class extends Real {
    constructor(...args) {
      super(...(args.length === 0 ? [Real.now() + later] : args))
    }
    static now() {
      return Real.now() + later
    }
  }
}
