// The store against the bare operations: a large file stored against `sha256sum` + `cp`, reading many records, and a
// rollback against the bare commit of its event.
//   npm run bench:store [-- MEGABYTES]     default 512
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { interleave, median } from './interleave.js'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const run = join(root, 'bin/run.js')
const folder = mkdtempSync(join(tmpdir(), 'mlops-bench-store-'))
const env = { ...process.env, CI: '1', NO_COLOR: '1' }
const megabytes = Number(process.argv[2] ?? 512)

try {
  largeFile()
  fromSource('many-records.ts')
  fromSource('rollback.ts')
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function largeFile() {
  const fd = openSync(join(folder, 'big.npy'), 'w')
  const block = Buffer.alloc(1 << 20, 'weights ')
  for (let i = 0; i < megabytes; i++) writeSync(fd, block)
  closeSync(fd)
  const fresh = () => rmSync(join(folder, '.mlops'), { recursive: true, force: true })
  const mlops = (...args) => ({ command: process.execPath, args: [run, ...args] })
  const prepare = () => {
    fresh()
    execFileSync(process.execPath, [run, 'init', '--yes', '--name', 'm'], { cwd: folder, env, stdio: 'ignore' })
  }
  const bare = 'sha256sum big.npy && cp big.npy copy.npy && sync copy.npy && rm copy.npy'
  const cases = [
    { name: 'sha256sum + cp + sync', command: 'sh', args: ['-c', bare] },
    { name: 'mlops register --artifact', ...mlops('register', 'm', '--artifact', 'big.npy'), prepare },
  ]
  const [peer, ours] = interleave(cases, { rounds: 5, cwd: folder, env }).map(median)
  console.log(`a file of ${megabytes} MB, medians of 5 rounds`)
  console.log(`  sha256sum + cp + sync        ${peer.toFixed(0).padStart(6)} ms`)
  console.log(
    `  mlops register, whole command${ours.toFixed(0).padStart(6)} ms  ${(peer / ours).toFixed(2)}x the speed, at least 0.7x`,
  )
}

/** Works on a store through the program's own code (from source), in a process of its own. */
function fromSource(name) {
  const script = join(root, 'test/bench', name)
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--import', 'tsx/esm', script, folder], {
    cwd: root,
    env,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  process.stdout.write(stdout)
}
