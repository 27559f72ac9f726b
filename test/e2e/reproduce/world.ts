/** Projects in real repositories whose runs are repeated, and the Python they use. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PYTHON } from '../../support/python.ts'
import { type Envelope, type RunOptions, type TempProject, tempProject } from '../harness.ts'

export interface World extends TempProject {
  git(...args: readonly string[]): string
  /** Tracks a command; the id of its run. Fails the test when it does not end well. */
  track(flags: readonly string[], command: readonly string[], options?: Tracked): Promise<string>
  reproduce(args: readonly string[], options?: RunOptions & { readonly code?: number }): Promise<Envelope>
}

interface Tracked extends RunOptions {
  /** Exit code of the command; 0. */
  readonly code?: number
}

/** A committed project with a store. @param at folder of the project within the repository */
export async function world(files: Readonly<Record<string, string>>, at = '.'): Promise<World> {
  const project = tempProject({ '.gitignore': 'data/\nout/\n.venv/\n', ...files })
  const cwd = join(project.dir, at)
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, { cwd: project.dir, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  git('init', '--quiet', '--initial-branch=main')
  git('config', 'user.email', 'ada@example.com')
  git('config', 'user.name', 'Ada')
  await project.mlops(['init', '--yes'], { cwd })
  git('add', '--all')
  git('commit', '--quiet', '--message', 'first')
  return {
    ...project,
    git,
    async track(flags, command, options = {}) {
      const { json } = await project.mlops(['track', '--json', ...flags, '--', ...command], { cwd, ...options })
      return String(json.data.run)
    },
    async reproduce(args, options = {}) {
      return (await project.mlops(['run', 'reproduce', '--json', ...args], { cwd, ...options })).json
    },
  }
}

/** An environment without packages: made in a blink, and repeated in one. @returns its python */
export function emptyEnvironment(folder: string): string {
  execFileSync(PYTHON, ['-I', '-m', 'venv', '--without-pip', folder])
  return join(folder, 'bin', 'python')
}

/** What reproductions of this process have left behind in the temporary folder. */
export const leftOvers = (): string[] =>
  existsSync(tmpdir()) ? readdirSync(tmpdir()).filter((name) => name.startsWith('mlops-reproduce-')) : []

/** Verdicts by name. */
export const verdicts = ({ data }: Envelope): Record<string, string> =>
  Object.fromEntries(
    data.outcome.rows.map(({ kind, name, verdict }: { kind: string; name: string; verdict: string }) => [
      kind === 'metric' ? name : `${kind} ${name}`,
      verdict,
    ]),
  )
