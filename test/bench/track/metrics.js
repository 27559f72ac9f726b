// A script that logs metrics: our client, MLflow's own into its two local stores, and bare writes, in turn.
import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { median } from '../interleave.js'
import { here, ms, root, table, times } from './shared.js'

export function metrics(world, { single, bulk, rounds }) {
  const { cwd } = world.project('metrics')
  writeFileSync(join(cwd, 'mlops.yaml'), 'store: .mlops\n')
  const init = world.mlops('init', '--yes')
  world.sh(cwd, init.command, ...init.args)
  const file = `file://${join(cwd, 'mlruns')}`
  const sqlite = `sqlite:///${join(cwd, 'mlflow.db')}`
  const one = [
    ['bare: one `write` of a line each', 'bare', join(cwd, 'bare.jsonl')],
    ['`mlops`: `run.log_metric` each', 'mlops', '-'],
    ['MLflow, file store: `log_metric` each', 'mlflow', file],
    ['MLflow, SQLite: `log_metric` each', 'mlflow', sqlite],
  ]
  const many = [
    one[0],
    one[1],
    ['MLflow, file store: `log_batch` of 1,000', 'mlflow-batch', file],
    ['MLflow, SQLite: `log_batch` of 1,000', 'mlflow-batch', sqlite],
  ]
  compare(world, cwd, one, single, rounds, 'one by one')
  compare(world, cwd, many, bulk, rounds, 'MLflow in batches')
  rmSync(cwd, { recursive: true, force: true })
}

/** The seconds that the script itself measured, from the start of its run to its end; a first round is not counted. */
function compare(world, cwd, cases, number, rounds, title) {
  const found = cases.map(() => [])
  for (let round = -1; round < rounds; round++) {
    for (const [index, [name, way, place]] of cases.entries()) {
      const args = [join(here, 'log_metrics.py'), way, String(number), place]
      const env = { ...world.env, PYTHONPATH: join(root, 'templates/python') }
      const { status, stdout, stderr } = spawnSync(world.python, args, { cwd, env, encoding: 'utf8' })
      if (status !== 0) throw new Error(`${name}: ${stderr}`)
      if (round >= 0) found[index].push(1000 * Number(stdout.trim().split('\n').at(-1)))
    }
  }
  const medians = found.map(median)
  console.log(`### ${number.toLocaleString('en-US')} metrics, ${title}, medians of ${rounds} rounds\n`)
  table(
    ['from the start of the run to its end', 'median', 'metrics per second', '`mlops` is'],
    cases.map(([name], index) => [
      name,
      ms(medians[index]),
      Math.round((1000 * number) / medians[index]).toLocaleString('en-US'),
      index === 1 ? '' : `${times(medians[index] / medians[1])} as fast`,
    ]),
  )
}
