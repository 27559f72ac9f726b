/** A temporary project with real data cut into files, a git repository and the Python environment of the tests. */
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { type RunResult, run } from '../harness.ts'

const root = join(import.meta.dirname, '../../..')
const python = join(root, '.cache/venv/bin/python')

export interface LoopProject {
  readonly dir: string
  mlops(args: string[]): Promise<RunResult>
  python(args: string[]): { readonly stdout: string }
  remove(): void
}

/** @returns undefined where the shared data is absent */
export async function loopProject(kind: 'telco' | 'electricity', file: string): Promise<LoopProject | undefined> {
  const source = join(root, '../shared/data', file)
  if (!existsSync(source)) return undefined
  const dir = mkdtempSync(join(tmpdir(), `mlops-${kind}-`))
  mkdirSync(join(dir, 'data'))
  execFileSync(python, [join(import.meta.dirname, 'split.py'), kind, source, join(dir, 'data')])
  copyFileSync(join(import.meta.dirname, kind, 'train.py'), join(dir, 'train.py'))
  const git = (...args: string[]) => execFileSync('git', ['-C', dir, ...args], { stdio: 'ignore' })
  git('init', '-q', '-b', 'main')
  git('-c', 'user.name=t', '-c', 'user.email=t@example.org', 'add', 'train.py')
  git('-c', 'user.name=t', '-c', 'user.email=t@example.org', 'commit', '-q', '-m', 'train')
  const env = { PATH: [dirname(python), process.env.PATH].join(delimiter) }
  return {
    dir,
    mlops: (args) => run(args, { cwd: dir, env }),
    python: (args) => ({ stdout: spawnSync(python, args, { cwd: dir, encoding: 'utf8' }).stdout }),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  }
}
