// What `mlops track` adds to a command, in a git repository with a changed file.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { measure, ms, table } from './shared.js'

const BUDGET = 250

export function overhead(world, { rounds }) {
  const { cwd } = world.project('overhead')
  writeFileSync(join(cwd, 'train.py'), 'pass\n')
  world.sh(cwd, 'git', 'init', '-q')
  world.sh(cwd, 'git', 'add', '.')
  world.sh(cwd, 'git', 'commit', '-qm', 'train')
  writeFileSync(join(cwd, 'train.py'), 'pass  # changed\n')
  const init = world.mlops('init', '--yes', '--name', 'm')
  world.sh(cwd, init.command, ...init.args)
  const cases = [
    { name: '`true`', command: 'true', args: [] },
    { name: '`mlops track -- true`', ...world.mlops('track', '--', 'true') },
    { name: '`python3 train.py` (an empty script)', command: 'python3', args: ['train.py'] },
    { name: '`mlops track -- python3 train.py`', ...world.mlops('track', '--', 'python3', 'train.py') },
  ]
  const medians = measure(world, cwd, cases, rounds)
  console.log(`### What \`track\` adds, medians of ${rounds} rounds\n`)
  table(
    ['command', 'median', 'above the bare command', 'budget'],
    cases.map(({ name }, index) =>
      index % 2 === 0
        ? [name, ms(medians[index]), '', '']
        : [name, ms(medians[index]), ms(medians[index] - medians[index - 1]), `at most ${BUDGET} ms`],
    ),
  )
}
