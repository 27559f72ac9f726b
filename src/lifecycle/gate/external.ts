/**
 * Checks made outside of this program: a command is run on the verified files of the version, a JUnit file is read.
 * `promote` and `gate check` do this; `status` never does. A check that cannot be made is never taken for passed.
 */
import type { Context } from '../../core/context.ts'
import { systemCode } from '../../core/errors.ts'
import { redactText } from '../../core/redact.ts'
import type { Project } from '../../project/config.ts'
import { describeDuration, MINUTE } from '../../project/duration.ts'
import type { ExternalRule } from '../../project/gate-config.ts'
import type { Store } from '../../store/store.ts'
import { filledIn, runShell, type ShellEnd } from '../shell-command.ts'
import { withFilesOf } from '../version-files.ts'
import type { ExternalOutcome, VersionFacts } from './facts.ts'
import { type JunitCounts, readJunit } from './junit.ts'

/** A check that nobody waits for any more is not made. */
const TIMEOUT = 10 * MINUTE
/** Lines of a failing command that are said. */
const SAID = 5
const MOST_BYTES = 32 * 1024 * 1024

/** @param registered when the version was registered. @throws whatever the store throws for damaged bytes of the version */
export async function runExternal(
  ctx: Context,
  project: Project,
  store: Store,
  rule: ExternalRule,
  version: VersionFacts,
  registered: string,
): Promise<ExternalOutcome> {
  return 'junit' in rule ? readReport(project, rule.junit, registered) : runCheck(ctx, project, store, rule, version)
}

async function runCheck(
  ctx: Context,
  project: Project,
  store: Store,
  rule: Extract<ExternalRule, { command: string }>,
  { model, version, manifest }: VersionFacts,
): Promise<ExternalOutcome> {
  const { name, command, timeout = TIMEOUT } = rule
  if (command.includes('{model}') && manifest.files.length === 0) {
    return { actual: 'not run', verdict: 'fail', note: 'the version has no files; register one with --artifact' }
  }
  ctx.progress?.(`external check "${name}" on ${model}@${version}`)
  return withFilesOf(store, manifest, async ({ model: path }) => {
    const filled = filledIn(command, { '{model}': path })
    if ('problem' in filled) return { actual: 'not run', verdict: 'fail', note: filled.problem }
    return outcomeOf(await runShell(ctx, filled.line, { cwd: project.root, timeout }), timeout)
  })
}

function outcomeOf({ kind, end, stdout, stderr }: ShellEnd, timeout: number): ExternalOutcome {
  if (kind === 'exited' && end === 0) return { actual: 'exit code 0', verdict: 'pass' }
  const said = (stderr.length > 0 ? stderr : stdout).slice(-SAID).map((line) => line.trim())
  const note = said.length === 0 ? 'it printed nothing' : said.join(' / ')
  switch (kind) {
    case 'timed out':
      return { actual: `no end after ${describeDuration(timeout)}`, verdict: 'inconclusive', note }
    case 'killed':
      return { actual: `ended by ${end}`, verdict: 'inconclusive', note }
    case 'not started':
      return { actual: 'not started', verdict: 'inconclusive', note: String(end) }
    default:
      return { actual: `exit code ${end}`, verdict: 'fail', note }
  }
}

async function readReport(project: Project, path: string, registered: string): Promise<ExternalOutcome> {
  const { readFile, stat } = await import('node:fs/promises')
  const { resolve } = await import('node:path')
  const file = resolve(project.root, path)
  try {
    const { size, mtimeMs, ...found } = await stat(file).then((it) => Object.assign(it, { isFile: it.isFile() }))
    if (!found.isFile) return unreadable(path, 'it is no file')
    if (size > MOST_BYTES) return unreadable(path, `it has ${size} bytes; at most ${MOST_BYTES} are read`)
    const counts = readJunit(await readFile(file, 'utf8'))
    if ('problem' in counts) return unreadable(path, counts.problem)
    return outcomeOfReport(path, counts, Math.min(mtimeMs, counts.written ?? mtimeMs), registered)
  } catch (error) {
    const code = systemCode(error)
    if (code === undefined) throw error
    if (code !== 'ENOENT' && code !== 'ENOTDIR') return unreadable(path, code)
    const note = `there is no file ${path}; let the tests write it: pytest --junitxml=${path}`
    return { actual: 'no report', verdict: 'fail', note }
  }
}

const unreadable = (path: string, why: string): ExternalOutcome => ({
  actual: 'unreadable',
  verdict: 'fail',
  note: `${path} is no report of tests: ${why}`,
})

function outcomeOfReport(path: string, counts: JunitCounts, written: number, registered: string): ExternalOutcome {
  const { tests, failed, skipped, names } = counts
  const ran = tests - skipped
  const actual = `${tests} test${tests === 1 ? '' : 's'}, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
  if (failed > 0) {
    const rest = failed > names.length ? ` and ${failed - names.length} more` : ''
    return { actual, verdict: 'fail', note: redactText(`failed: ${names.join(', ')}${rest}`) }
  }
  if (ran <= 0) return { actual, verdict: 'fail', note: `${path} holds no test that ran` }
  if (written < Date.parse(registered)) {
    const day = (time: number): string => new Date(time).toISOString().slice(0, 16).replace('T', ' ')
    const note = `${path} was written at ${day(written)}, before this version was registered (${day(Date.parse(registered))} UTC): it is about another one; run the tests again`
    return { actual, verdict: 'inconclusive', note }
  }
  return { actual, verdict: 'pass' }
}
