// One training of one project kept as a run by `mlops track`, and as an experiment by `dvc exp save` after it.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { measure, ms, table } from './shared.js'

const TRAIN = `
import json
rows = [line.split(",") for line in open("train.csv")][1:]
json.dump({"auc": len(rows) / 20000}, open("metrics.json", "w"))
open("model.bin", "wb").write(b"weights" * 1000)
print("trained")
`

export function experiment(world, { rounds }) {
  const { cwd } = world.project('experiment')
  writeFileSync(join(cwd, 'train.py'), TRAIN)
  writeFileSync(join(cwd, 'params.yaml'), 'depth: 6\nrate: 0.1\n')
  writeFileSync(join(cwd, 'train.csv'), `a,b\n${'1,2\n'.repeat(10_000)}`)
  world.sh(cwd, 'git', 'init', '-q')
  world.sh(cwd, world.dvc, 'init', '-q')
  world.sh(cwd, world.dvc, 'config', 'core.analytics', 'false')
  world.sh(cwd, world.dvc, 'config', 'core.check_update', 'false')
  world.sh(cwd, world.dvc, 'add', '-q', 'train.csv')
  const init = world.mlops('init', '--yes', '--name', 'm')
  world.sh(cwd, init.command, ...init.args)
  writeFileSync(join(cwd, 'dvc.yaml'), 'metrics: [metrics.json]\nparams: [params.yaml]\n')
  writeFileSync(join(cwd, '.gitignore'), '/train.csv\n/.mlops\n')
  world.sh(cwd, 'git', 'add', '.')
  world.sh(cwd, 'git', 'commit', '-qm', 'project')
  const { command, args } = world.mlops(
    'track',
    '--data',
    'train=train.csv',
    '--artifact',
    'model.bin',
    '--',
    'python3',
    'train.py',
  )
  // A round that changed nothing would be no experiment.
  const change = () => writeFileSync(join(cwd, 'params.yaml'), `depth: ${Math.floor(performance.now())}\nrate: 0.1\n`)
  const cases = [
    { name: '`python3 train.py`', command: 'python3', args: ['train.py'], prepare: change },
    { name: '`mlops track … -- python3 train.py`', command, args, prepare: change },
    {
      name: '`python3 train.py && dvc exp save`',
      command: 'sh',
      args: ['-c', `python3 train.py && '${world.dvc}' exp save -q --force -I metrics.json -I model.bin`],
      prepare: change,
    },
  ]
  const medians = measure(world, cwd, cases, rounds)
  console.log(`### One training kept, medians of ${rounds} rounds\n`)
  table(
    ['whole command', 'median', 'above the bare training'],
    cases.map(({ name }, index) => [name, ms(medians[index]), index === 0 ? '' : ms(medians[index] - medians[0])]),
  )
}
