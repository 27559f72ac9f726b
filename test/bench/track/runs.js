// Listing the newest runs, and filtering and sorting all of them: ours, and MLflow's `search_runs` on its two local
// stores with the same number of runs. Whole commands: what somebody waits for.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { median } from '../interleave.js'
import { cache, here, ms, root, table, times } from './shared.js'

export function runs(world, { number, rounds }) {
  // Making them takes minutes: kept for the next time.
  const cwd = kept(join(cache, `mlops-runs-${number}`), (folder) => {
    mkdirSync(folder)
    call(process.execPath, ['--import', 'tsx/esm', join(here, 'make-runs.ts'), String(number), folder], world)
  })
  const stores = [
    ['MLflow, file store', `mlflow-runs-${number}`, 'file://'],
    ['MLflow, SQLite', `mlflow-runs-${number}.db`, 'sqlite:///'],
  ].map(([name, file, scheme]) => {
    const path = kept(join(cache, file), (partial) => {
      call(world.python, [join(here, 'many_runs.py'), 'make', String(number), scheme + partial], world)
    })
    return { name, uri: scheme + path }
  })
  console.log(`### ${number.toLocaleString('en-US')} runs, medians of ${rounds} rounds of whole commands\n`)
  const asked = (way) =>
    stores.map(({ name, uri }) => ({
      name: `${name}: \`search_runs\``,
      command: world.python,
      args: [join(here, 'many_runs.py'), way, '0', uri],
    }))
  const filter = ['--where', 'metrics.auc > 0.8 and params.depth = 6', '--sort', 'metrics.auc', '--limit', '50']
  for (const [title, way, ours] of [
    ['the newest 50', 'list', ['run', 'list', '--limit', '50']],
    ['auc > 0.8 and depth = 6, best 50', 'filter', ['run', 'list', ...filter]],
  ]) {
    const cases = [{ name: '`mlops run list`', ...world.mlops(...ours) }, ...asked(way)]
    const { whole, inside } = ask(cases, cwd, world, rounds)
    table(
      [title, 'whole command', '`mlops` is', 'of which after starting Python'],
      cases.map(({ name }, index) => [
        name,
        ms(whole[index]),
        index === 0 ? '' : `${times(whole[index] / whole[0])} as fast`,
        index === 0 ? '' : ms(inside[index]),
      ]),
    )
  }
}

/** In turn; a first round is not counted. What a script says last is how long it asked. */
function ask(cases, cwd, { env }, rounds) {
  const [whole, inside] = [cases.map(() => []), cases.map(() => [])]
  for (let round = -1; round < rounds; round++) {
    for (const [index, { name, command, args }] of cases.entries()) {
      const started = performance.now()
      const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8' })
      const took = performance.now() - started
      if (status !== 0) throw new Error(`${name}: ${stderr}`)
      if (round < 0) continue
      whole[index].push(took)
      inside[index].push(Number(stdout.trim().split('\n').at(-1)))
    }
  }
  return { whole: whole.map(median), inside: inside.map(median) }
}

/** What could not be made whole leaves nothing behind that would pass for it. */
function kept(path, make) {
  if (existsSync(path)) return path
  const partial = `${path}.partial`
  rmSync(partial, { recursive: true, force: true })
  console.error(`making ${path} …`)
  make(partial)
  renameSync(partial, path)
  return path
}

function call(command, args, { env }) {
  const { status, stderr } = spawnSync(command, args, { cwd: root, env, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
}
