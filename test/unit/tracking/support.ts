/** A project with a store in a temporary folder, and `trackCommand` in it with its output in files. */
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Context } from '../../../src/core/context.ts'
import { loadProject } from '../../../src/project/load.ts'
import { createStore } from '../../../src/store/create.ts'
import { openStore } from '../../../src/store/open.ts'
import type { Store } from '../../../src/store/store.ts'
import { type TrackOutcome, type TrackRequest, trackCommand } from '../../../src/tracking/execute/track.ts'

export const ROOT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))
export const CLIENT = join(ROOT, 'templates/python')

export interface Tracked extends TrackOutcome {
  readonly stdout: string
  readonly stderr: string
  readonly warnings: readonly string[]
}

export interface Workshop {
  readonly root: string
  readonly store: Store
  write(path: string, content: string | Buffer): void
  read(path: string): string
  context(env?: Readonly<Record<string, string | undefined>>): Context & { readonly warnings: string[] }
  track(
    command: readonly string[],
    request?: Partial<TrackRequest> & { readonly environment?: Readonly<Record<string, string | undefined>> },
  ): Promise<Tracked>
  output(outcome: TrackOutcome): string
  remove(): void
}

export async function workshop(files: Readonly<Record<string, string>> = {}): Promise<Workshop> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'mlops-track-')))
  const write = (path: string, content: string | Buffer): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  for (const [path, content] of Object.entries(files)) write(path, content)
  await createStore(join(root, '.mlops'))
  const store = await openStore(join(root, '.mlops'), { write: true })
  const context: Workshop['context'] = (env = {}) => {
    const warnings: string[] = []
    return {
      cwd: root,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, LANG: 'C.UTF-8', ...env },
      actor: { name: 'ada@test', origin: 'local' },
      tool: 'mlops test',
      now: () => new Date(),
      warn: (message) => void warnings.push(message),
      warnings,
    }
  }
  let count = 0
  return {
    root,
    store,
    write,
    read: (path) => readFileSync(join(root, path), 'utf8'),
    context,
    async track(command, { environment = {}, ...request } = {}) {
      const ctx = context(environment)
      const project = await loadProject({ cwd: root, env: ctx.env })
      // Outside of the project, so that they are no files of it.
      const folder = mkdtempSync(join(tmpdir(), 'mlops-track-out-'))
      const paths = { stdout: join(folder, `${++count}.out`), stderr: join(folder, `${count}.err`) }
      const fds = { stdout: openSync(paths.stdout, 'w'), stderr: openSync(paths.stderr, 'w') }
      try {
        const outcome = await trackCommand(ctx, project, store, {
          command,
          data: [],
          params: {},
          tags: [],
          artifacts: [],
          stdoutTo: 'stdout',
          fds,
          ...request,
        })
        const texts = { stdout: readFileSync(paths.stdout, 'utf8'), stderr: readFileSync(paths.stderr, 'utf8') }
        return { ...outcome, ...texts, warnings: ctx.warnings }
      } finally {
        closeSync(fds.stdout)
        closeSync(fds.stderr)
        rmSync(folder, { recursive: true, force: true })
      }
    },
    output: ({ runId }) => readFileSync(join(root, '.mlops/runs', runId, 'output.log'), 'utf8'),
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
}
