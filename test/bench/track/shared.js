// What the measurements of tracking share: folders, how our commands and those of the peers are called, tables.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setupTrackPeers } from '../../../.ci/setup-track-peers.js'
import { interleave, median } from '../interleave.js'

export const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))
export const cache = join(root, '.cache/bench')
export const here = join(root, 'test/bench/track')
const run = join(root, 'bin/run.js')

/** @returns how everything is called in one folder of its own, on the disk of the repository */
export function makeWorld() {
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'track-'))
  const bin = setupTrackPeers((line) => console.error(line))
  const env = {
    ...process.env,
    ...{ CI: '1', NO_COLOR: '1', PYTHONDONTWRITEBYTECODE: '1' },
    // Neither asks anybody over the network, nor leaves anything outside of the folder.
    ...{ DVC_NO_ANALYTICS: '1', DVC_SITE_CACHE_DIR: join(folder, 'dvc-site'), DVC_TEST: 'true' },
    ...{ MLFLOW_ALLOW_FILE_STORE: 'true', MLFLOW_DISABLE_TELEMETRY: 'true', DO_NOT_TRACK: 'true' },
    ...{ GIT_CONFIG_GLOBAL: '/dev/null', GIT_AUTHOR_NAME: 'b', GIT_AUTHOR_EMAIL: 'b@example.org' },
    ...{ GIT_COMMITTER_NAME: 'b', GIT_COMMITTER_EMAIL: 'b@example.org' },
  }
  const python = join(bin, 'python')
  const dvc = join(bin, 'dvc')
  const world = { folder, env, python, dvc }
  return {
    ...world,
    mlops: (...args) => ({ command: process.execPath, args: [run, ...args] }),
    sh: (cwd, command, ...args) => execFileSync(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] }),
    /** A project in git with a store: `train.py` committed and changed. */
    project(name, files) {
      const cwd = join(folder, name)
      mkdirSync(cwd, { recursive: true })
      return { cwd, ...files }
    },
  }
}

/** Medians in milliseconds, of commands as whole processes, in turn. */
export const measure = (world, cwd, cases, rounds) => interleave(cases, { rounds, cwd, env: world.env }).map(median)

/** A table as docs/benchmarks.md has it. */
export function table(titles, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  console.log([line(titles), `|${'---|'.repeat(titles.length)}`, ...rows.map(line)].join('\n'))
  console.log()
}

export const ms = (value) => (value >= 10_000 ? `${(value / 1000).toFixed(1)} s` : `${value.toFixed(0)} ms`)
export const times = (ratio) => `${ratio >= 10 ? ratio.toFixed(0) : ratio.toPrecision(2)}x`
