// Times commands as whole processes, in turn within one run, so that a busy machine slows all alike.
import { spawnSync } from 'node:child_process'

/**
 * @param cases [{ name, command, args, prepare? }]; `prepare` runs before each round, untimed
 * @returns one list of milliseconds per case; a first round that warms disk and compile caches is not counted
 */
export function interleave(cases, { rounds, cwd, env }) {
  const times = cases.map(() => [])
  for (let round = -1; round < rounds; round++) {
    for (const [index, { name, command, args, prepare }] of cases.entries()) {
      prepare?.()
      const started = performance.now()
      const { status, stderr, error } = spawnSync(command, args, { cwd, env, encoding: 'utf8' })
      const took = performance.now() - started
      if (error !== undefined || status !== 0) throw new Error(`${name} ended with ${status}: ${error ?? stderr}`)
      if (round >= 0) times[index].push(took)
    }
  }
  return times
}

export const median = (times) => [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)]
