/**
 * Preloaded into the built binary: holds a process that has just been started until TOGETHER of them have come into the
 * folder BARRIER, or, where AFTER names one, until that file exists. So who began when is no matter of luck.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'

const { BARRIER, TOGETHER = '2', AFTER } = process.env
const isMet = () => readdirSync(BARRIER).length >= Number(TOGETHER) && (!AFTER || existsSync(AFTER))
if (BARRIER) {
  mkdirSync(BARRIER, { recursive: true })
  writeFileSync(`${BARRIER}/${process.pid}`, '')
  for (let tries = 0; tries < 6000 && !isMet(); tries++) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
  }
}
