/**
 * One run of one command: its context, its streams, and the lazy way to the project and the store.
 * The only file of `ui/` that knows `project/` and `store/`, and only through `await import()`, so that `--help`
 * loads neither.
 */
import type { Context } from '../core/context.ts'
import { isMlopsError, notFound } from '../core/errors.ts'
import { shellWord } from '../core/shell.ts'
import type { Project } from '../project/config.ts'
import type { Store } from '../store/store.ts'
import { ciJob, currentActor, inCi } from './actor.ts'
import { cleanOutput } from './clean.ts'
import type { BaseFlagValues } from './peek-flags.ts'
import { createProgress, type Progress, SILENT } from './progress.ts'
import { type AskOptions, ask, type ChooseOptions, type ConfirmOptions, choose, confirm } from './prompt.ts'
import { createStyle, type Style, wantsColor, wantsUnicode } from './style.ts'
import { createUi, type Ui } from './ui.ts'
import { columnsOf, wrap } from './wrap.ts'

export interface OpenRequest {
  readonly write?: boolean
  readonly root?: string
  /** Of a store that is shared as a branch. `never`: it is read as this folder has it; `must`: or it is an error. */
  readonly ask?: 'once' | 'must' | 'never'
}

export interface Session {
  readonly ctx: Context
  readonly json: boolean
  readonly quiet: boolean
  readonly yes: boolean
  readonly debug: boolean
  /** Somebody can be asked: stdin and stderr are terminals and neither CI, --json nor --no-input is set. */
  readonly interactive: boolean
  /** `--idempotency-key` as given. */
  readonly idempotencyKey: string | undefined
  /** Run id + job of a CI system: what default idempotency keys are derived from. */
  readonly ciJob: string | undefined
  /** For stdout. */
  readonly ui: Ui
  /** For stderr. */
  readonly errStyle: Style
  /** Columns of stderr; Infinity when it is no terminal. */
  readonly errWidth: number
  readonly warnings: readonly string[]
  /** A remark for people on stderr: not in the envelope, silenced by --quiet. */
  note(message: string): void
  /** Read once per run. */
  loadProject(): Promise<Project>
  /** The project's store, or the one at `root`. @throws notFound when there is none */
  openStore(options?: OpenRequest): Promise<Store>
  /** Writes a result that is too long to be held to stdout; false once nobody reads it any more. */
  write(piece: Uint8Array): Promise<boolean>
  confirm(options: ConfirmOptions): Promise<boolean>
  ask(options: AskOptions): Promise<string>
  choose<T extends string>(options: ChooseOptions<T>): Promise<T>
  /** The store was opened for writing: running the command again may do something twice. */
  readonly wrote: boolean
  /** Aborts `ctx.signal`. */
  abort(): void
  clearProgress(): void
}

/** @param cwd '' while nothing needs it: a working directory that was deleted is reported like any other error */
export function createSession(flags: BaseFlagValues, tool: string, cwd: string): Session {
  const { env } = process
  const unicode = wantsUnicode(env, process.platform)
  const noColor = flags['no-color']
  const errStyle = createStyle({ color: wantsColor(process.stderr.isTTY === true, env, noColor), unicode })
  const outStyle = createStyle({ color: wantsColor(process.stdout.isTTY === true, env, noColor), unicode })
  const errWidth = columnsOf(process.stderr)
  const interactive =
    process.stdin.isTTY === true && process.stderr.isTTY === true && !inCi(env) && !flags.json && !flags['no-input']
  const progress: Progress =
    process.stderr.isTTY === true && !flags.quiet && !flags.json && !inCi(env) && env.TERM !== 'dumb'
      ? createProgress(process.stderr, unicode, () => performance.now())
      : SILENT
  const controller = new AbortController()
  const warnings: string[] = []
  const now = (): Date => new Date()

  const say = (text: string): void => {
    progress.clear()
    process.stderr.write(`${cleanOutput(text, errStyle.color)}\n`)
  }
  const ctx: Context = {
    cwd,
    env,
    actor: currentActor(env),
    tool,
    now,
    signal: controller.signal,
    stdin: process.stdin,
    progress: progress.update,
    warn(message) {
      if (warnings.includes(message)) return
      warnings.push(message)
      if (!flags.quiet) say(errStyle.warn(wrap(`${errStyle.symbols.warn} ${message}`, errWidth, 2)))
    },
  }
  const asking = { interactive, yes: flags.yes, signal: controller.signal }
  let project: Promise<Project> | undefined
  const loadOnce = (): Promise<Project> => {
    project ??= import('../project/load.ts').then(({ loadProject }) =>
      loadProject({ cwd: ctx.cwd, env, ...(flags.store === undefined ? {} : { store: flags.store }) }),
    )
    return project
  }

  let wrote = false

  return {
    ctx,
    json: flags.json,
    quiet: flags.quiet,
    yes: flags.yes,
    debug: flags.debug,
    interactive,
    idempotencyKey: flags['idempotency-key'],
    ciJob: ciJob(env),
    ui: createUi({
      style: outStyle,
      width: columnsOf(process.stdout),
      now: now(),
      quiet: flags.quiet,
    }),
    errStyle,
    errWidth,
    warnings,
    note(message) {
      if (!flags.quiet) say(message)
    },
    loadProject: loadOnce,
    get wrote() {
      return wrote
    },
    async openStore({ write = false, root, ask = 'once' } = {}) {
      wrote ||= write
      const [loaded, { openStore }] = await Promise.all([
        root === undefined ? loadOnce() : undefined,
        import('../store/open.ts'),
      ])
      // A store that was named by --store is what its folder says; mlops.yaml speaks of its own alone.
      const sharing = loaded?.coversStore === true ? loaded.config.sharing : undefined
      const wish = loaded === undefined || sharing === undefined ? undefined : { ...sharing, at: loaded.root }
      const { actor, progress } = ctx
      return openStore(root ?? loaded?.storeRoot ?? '', {
        ...{ write, now, warn: ctx.warn },
        git: { env, actor, ask, wish, ...(progress === undefined ? {} : { progress }) },
      }).catch(async (error: unknown) => {
        const isNamed = root !== undefined || flags.store !== undefined || (env.MLOPS_STORE ?? '') !== ''
        const isElsewhere = !isNamed && loaded?.file === undefined && loaded?.root === cwd
        throw isElsewhere ? await orBelow(error, cwd) : error
      })
    },
    write: (piece) => new Promise((resolve) => process.stdout.write(piece, (error) => resolve(error == null))),
    confirm: (options) => withClearLine(progress, confirm(asking, options)),
    ask: (options) => withClearLine(progress, ask(asking, options)),
    choose: (options) => withClearLine(progress, choose(asking, options)),
    abort: () => controller.abort(),
    clearProgress: progress.clear,
  }
}

/** Nobody is to make a second project above the one that is there. @returns the error to throw */
async function orBelow(error: unknown, cwd: string): Promise<unknown> {
  if (!isMlopsError(error) || error.code !== 'STORE_NOT_FOUND') return error
  const { projectsBelow } = await import('../project/find.ts')
  const [first, ...others] = projectsBelow(cwd)
  if (first === undefined) return error
  const more = others.length === 0 ? '' : ` and ${others.length} more below`
  return notFound({
    code: error.code,
    message: `There is no project here, but one in ${first}/${more}.`,
    hint: `cd ${shellWord(first)}`,
    details: { ...error.details, projects: [first, ...others] },
  })
}

function withClearLine<T>(progress: Progress, answer: Promise<T>): Promise<T> {
  progress.clear()
  return answer
}
