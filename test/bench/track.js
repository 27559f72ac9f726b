// What `mlops track` adds to a command, in a git repository with a changed file.
//   npm run bench:track [-- ROUNDS]     default 15
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { interleave, median } from './interleave.js'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const run = join(root, 'bin/run.js')
const folder = mkdtempSync(join(tmpdir(), 'mlops-bench-track-'))
const env = { ...process.env, CI: '1', NO_COLOR: '1' }
const BUDGET = 250

try {
  const sh = (command, ...args) => execFileSync(command, args, { cwd: folder, env, stdio: 'ignore' })
  writeFileSync(join(folder, 'train.py'), 'pass\n')
  sh('git', 'init', '-q')
  sh('git', 'add', '.')
  sh('git', '-c', 'user.name=b', '-c', 'user.email=b@example.org', 'commit', '-qm', 'train')
  writeFileSync(join(folder, 'train.py'), 'pass  # changed\n')
  sh(process.execPath, run, 'init', '--yes', '--name', 'm')

  const tracked = (...args) => ({ command: process.execPath, args: [run, 'track', '--', ...args] })
  const cases = [
    { name: 'true', command: 'true', args: [] },
    { name: 'mlops track -- true', ...tracked('true') },
    { name: 'python3 train.py', command: 'python3', args: ['train.py'] },
    { name: 'mlops track -- python3 train.py', ...tracked('python3', 'train.py') },
  ]
  const rounds = Number(process.argv[2] ?? 15)
  const medians = interleave(cases, { rounds, cwd: folder, env }).map(median)
  console.log(`${rounds} rounds, Node ${process.versions.node}`)
  for (const [index, { name }] of cases.entries()) {
    const bare =
      index % 2 === 1 ? `  ${(medians[index] - medians[index - 1]).toFixed(0)} ms above, at most ${BUDGET}` : ''
    console.log(`${name.padEnd(34)} ${medians[index].toFixed(0).padStart(5)} ms${bare}`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
