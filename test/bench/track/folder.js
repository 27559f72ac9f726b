// A folder of small files as data: hashed for the first time, and again when nothing has changed. DVC also puts the files
// into its cache when it adds them: `--snapshot` does that too, and stands beside it.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { measure, ms, table, times } from './shared.js'

const PER_FOLDER = 1000

export function folder(world, { number, rounds }) {
  const { cwd } = world.project('folder')
  world.sh(cwd, 'git', 'init', '-q')
  world.sh(cwd, world.dvc, 'init', '-q')
  for (const [key, value] of [
    ['core.analytics', 'false'],
    ['core.check_update', 'false'],
  ]) {
    world.sh(cwd, world.dvc, 'config', key, value)
  }
  const init = world.mlops('init', '--yes', '--name', 'm')
  world.sh(cwd, init.command, ...init.args)
  const bytes = smallFiles(join(cwd, 'images'), number)
  // A file that was written this very moment is not trusted by its time (as in git): nobody hashes within two seconds.
  world.sh(cwd, 'sleep', '3')
  const gone = (...names) => {
    for (const name of names) rmSync(join(cwd, name), { recursive: true, force: true })
  }
  const track = (...flags) => world.mlops('track', ...flags, '--data', 'images=images', '--', 'true')
  const forgetDvc = () => {
    gone('.dvc/cache', '.dvc/tmp', 'images.dvc')
    rmSync(join(world.folder, 'dvc-site'), { recursive: true, force: true })
  }
  const forgetOurs = () => gone('.mlops/cache/hashes')
  const sha = ['-c', 'find images -type f -print0 | xargs -0 sha256sum > sums.txt']
  const first = [
    { name: '`sha256sum` of every file', command: 'sh', args: sha },
    { name: '`mlops track --data images=images -- true`', ...track(), prepare: forgetOurs },
    {
      name: 'the same with `--snapshot` (bytes into the store)',
      ...track('--snapshot'),
      prepare: () => {
        forgetOurs()
        gone('.mlops/objects/sha256')
      },
    },
    {
      name: '`dvc add images` (bytes into its cache)',
      command: world.dvc,
      args: ['add', '-q', 'images'],
      prepare: forgetDvc,
    },
  ]
  print(
    `first time, ${number.toLocaleString('en-US')} files, ${(bytes / 1e6).toFixed(0)} MB`,
    first,
    world,
    cwd,
    rounds,
  )
  const again = [
    { name: '`sha256sum` of every file', command: 'sh', args: sha },
    { name: '`mlops track --data images=images -- true`', ...track() },
    { name: 'the same with `--rehash`', ...track('--rehash') },
    { name: '`dvc status`', command: world.dvc, args: ['status', '-q'] },
    { name: '`dvc add images` (again)', command: world.dvc, args: ['add', '-q', 'images'] },
  ]
  print('again, nothing changed', again, world, cwd, rounds)
  rmSync(cwd, { recursive: true, force: true })
}

/** @returns bytes */
function smallFiles(path, number) {
  let bytes = 0
  for (let at = 0; at < number; at++) {
    const part = join(path, String(Math.floor(at / PER_FOLDER)).padStart(3, '0'))
    if (at % PER_FOLDER === 0) mkdirSync(part, { recursive: true })
    const content = `${at} `.repeat(200 + (at % 300))
    bytes += content.length
    writeFileSync(join(part, `${at}.txt`), content)
  }
  return bytes
}

function print(title, cases, world, cwd, rounds) {
  const medians = measure(world, cwd, cases, rounds)
  console.log(`### A folder of small files, ${title}; medians of ${rounds} rounds\n`)
  table(
    ['whole command', 'median', '`mlops track` is'],
    cases.map(({ name }, index) => [
      name,
      ms(medians[index]),
      index === 1 ? '' : `${times(medians[index] / medians[1])} as fast`,
    ]),
  )
}
