/**
 * `npm run simulate:drift`: how often a drift check cries wolf and how often it is blind, at default settings, beside
 * "PSI above 0.1" and Evidently's default preset on the same draws. Writes docs/drift-simulation.md.
 *
 *   --jobs 2   processes      --scale 0.1   a tenth of the checks      --seed 1
 *   --no-evidently            --out FILE    instead of docs/drift-simulation.md
 *
 * Every check is drawn from its own seed, so that the numbers do not depend on how many processes share the work.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { addTally, type Cell, emptyTally, runChecks, type Tally } from './checks.ts'
import { gridOf } from './grid.ts'
import { simulationPage } from './page.ts'
import { Evidently } from './rivals.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PYTHON = join(ROOT, '.cache/evidently-venv/bin/python')

interface Task {
  readonly part: number
  readonly cell: number
  readonly from: number
  readonly to: number
}

const { values: options } = parseArgs({
  options: {
    jobs: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    scale: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    'no-evidently': { type: 'boolean', default: false },
    out: { type: 'string', default: join(ROOT, 'docs/drift-simulation.md') },
  },
})
const seed = Number(options.seed)
const cells = gridOf(Number(options.scale))
const hasEvidently = !options['no-evidently'] && existsSync(PYTHON)

if (process.send === undefined) await main()
else serve()

/** A child: runs the tasks it is sent. */
function serve(): void {
  let started: Evidently | undefined
  const evidently = () => {
    started ??= new Evidently(PYTHON)
    return started
  }
  process.on('message', async ({ cell, from, to }: Task) => {
    const tally = await runChecks(cells[cell] as Cell, seed, from, to, hasEvidently ? evidently : undefined)
    process.send?.({ cell, tally })
  })
  process.on('disconnect', () => {
    started?.close()
    process.exit()
  })
}

async function main(): Promise<void> {
  if (!hasEvidently && !options['no-evidently']) {
    console.error('Evidently is not installed into .cache/evidently-venv: its columns stay empty.')
    console.error(
      'python3 -m venv .cache/evidently-venv && .cache/evidently-venv/bin/pip install -r test/bench/evidently/requirements.txt',
    )
  }
  const tallies = cells.map(emptyTally)
  // The first part of every cell, then the second …: the long ones shall not come last.
  const tasks = cells.flatMap(tasksOf).sort((a, b) => a.part - b.part)
  const total = tasks.length
  let done = 0
  const worker = async (): Promise<void> => {
    const child = fork(fileURLToPath(import.meta.url), process.argv.slice(2), { execArgv: process.execArgv })
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
      const { cell, tally } = await ask(child, task)
      tallies[cell] = addTally(tallies[cell] as Tally, tally)
      done++
      if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${total} parts `)
      else if (done % 20 === 0) console.error(`${done} of ${total} parts`)
    }
    child.disconnect()
  }
  await Promise.all(Array.from({ length: Number(options.jobs) }, worker))
  writeFileSync(options.out, simulationPage(cells, tallies, { seed, scale: Number(options.scale) }))
  console.error(`\nWrote ${options.out}`)
}

function ask(child: ChildProcess, task: Task): Promise<{ cell: number; tally: Tally }> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`a process of the simulation ended with ${code}`))
    child.once('exit', onExit)
    child.once('message', (answer) => {
      child.off('exit', onExit)
      resolve(answer as { cell: number; tally: Tally })
    })
    child.send(task)
  })
}

/** Small parts, so that the processes end together. */
function tasksOf(cell: Cell, index: number): Task[] {
  const size = Math.max(5, Math.ceil(cell.checks / 20))
  return Array.from({ length: Math.ceil(cell.checks / size) }, (_, i) => ({
    part: i,
    cell: index,
    from: i * size,
    to: Math.min(cell.checks, (i + 1) * size),
  }))
}
