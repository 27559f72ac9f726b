/**
 * Running git for a store that a team shares as a branch: one child per question, of which nothing may ask a person,
 * run a hook, or outlive its silence. What is asked is in the other `git-*.ts`. Not `project/git-run.ts`: that one asks
 * a repository that is not ours, collects text, and may not be imported from here.
 *
 * `node:child_process` and not execa: every command that opens such a store pays for the import.
 */
import { spawn } from 'node:child_process'
import { redactText } from '../core/redact.ts'

export type GitEnv = Readonly<Record<string, string | undefined>>

export interface GitCall {
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Written to its standard input, chunk by chunk. */
  readonly input?: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
  /** Milliseconds without a byte of output after which it is ended. */
  readonly silence: number
  /** Gets standard output instead of the answer, chunk by chunk; awaited. */
  readonly output?: (chunk: Buffer) => Promise<void> | void
  /** Gets each line of progress. */
  readonly line?: (line: string) => void
}

export interface GitAnswer {
  /** Of the process; 127 when there is no git, 124 when it said nothing for too long. */
  readonly code: number
  readonly stdout: Buffer
  /** Without secrets of known shapes. */
  readonly stderr: string
}

export const NO_GIT = 127
export const SILENT = 124

/** @param args our own words; a value from outside stands behind `--` or in a variable, never where an option could */
export async function runGit(args: readonly string[], call: GitCall): Promise<GitAnswer> {
  // A session of its own: ssh and credential helpers find no terminal to ask on, and all of them end together.
  const child = spawn('git', [...args], {
    cwd: call.cwd,
    env: call.env,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let [silent, missing] = [false, false]
  const end = (): void => {
    silent = true
    endGroup(child.pid)
  }
  let timer = setTimeout(end, call.silence)
  const alive = (): void => {
    clearTimeout(timer)
    timer = setTimeout(end, call.silence)
  }
  const closed = new Promise<number>((resolve) => {
    child.on('error', () => {
      missing = true
      resolve(NO_GIT)
    })
    child.on('close', (code) => resolve(code ?? SILENT))
  })
  child.stdin.on('error', () => {}) // It may end without reading all; its exit code says why.
  const errors = collectErrors(child.stderr, alive, call.line)
  const output = collectOutput(child.stdout, alive, call.output).catch((error: unknown) => {
    endGroup(child.pid)
    throw error
  })
  try {
    const fed = feed(child.stdin, call.input ?? [], alive, closed).catch((error: unknown) => {
      endGroup(child.pid)
      throw error
    })
    const [code, stdout, stderr] = await Promise.all([closed, output, errors, fed])
    return { code: missing ? NO_GIT : silent ? SILENT : code, stdout, stderr: redactText(stderr) }
  } finally {
    clearTimeout(timer)
  }
}

async function feed(
  stdin: NodeJS.WritableStream,
  input: NonNullable<GitCall['input']>,
  alive: () => void,
  closed: Promise<number>,
): Promise<void> {
  for await (const chunk of input) {
    alive()
    const taken = stdin.write(chunk)
    if (taken) continue
    const gone = await Promise.race([
      new Promise<false>((resolve) => stdin.once('drain', () => resolve(false))),
      closed.then(() => true as const),
    ])
    if (gone) return
  }
  stdin.end()
}

async function collectOutput(
  stream: AsyncIterable<Buffer>,
  alive: () => void,
  take: GitCall['output'],
): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) {
    alive()
    if (take === undefined) chunks.push(chunk)
    else await take(chunk)
  }
  return Buffer.concat(chunks)
}

const MAX_ERRORS = 64 << 10

async function collectErrors(stream: AsyncIterable<Buffer>, alive: () => void, line: GitCall['line']): Promise<string> {
  let text = ''
  for await (const chunk of stream) {
    alive()
    const said = chunk.toString('utf8')
    // Progress is drawn over itself with carriage returns.
    for (const part of said.split(/[\r\n]+/)) if (part !== '') line?.(part)
    text = (text + said).slice(-MAX_ERRORS)
  }
  return text
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

/** Variables of git's own that say how to get to a remote and who we are there; the others name another repository. */
const KEPT =
  /^GIT_(?:SSH|SSH_COMMAND|SSH_VARIANT|ASKPASS|SSL_\w+|HTTP_\w+|PROXY_\w+|CONFIG_(?:GLOBAL|SYSTEM|NOSYSTEM))$/

/** What the repository around, or the user's settings, must not do to us. */
const SETTINGS: readonly (readonly [string, string])[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.autocrlf', 'false'],
  ['core.attributesFile', '/dev/null'],
  // What is in the branch is durable where it was pushed to; what is taken over into the store is synced there.
  ['core.fsync', 'none'],
  ['commit.gpgSign', 'false'],
  ['push.gpgSign', 'false'],
  ['push.followTags', 'false'],
  ['push.recurseSubmodules', 'no'],
  ['fetch.recurseSubmodules', 'no'],
  ['fetch.writeCommitGraph', 'false'],
  ['fetch.fsckObjects', 'true'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['protocol.ext.allow', 'never'],
]

/**
 * @param env of the command; its `MLOPS_STORE_TOKEN` is shown to `url` alone, by a variable: it stands on no command
 *   line and in no file
 * @param more further settings and variables
 */
export function gitEnvironment(
  env: GitEnv,
  url: string | undefined,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const child: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && (!name.startsWith('GIT_') || KEPT.test(name)) && !name.startsWith('MLOPS_'))
      child[name] = value
  }
  const settings = [...givenSettings(env), ...SETTINGS]
  if (url !== undefined) settings.push(['remote.store.url', url])
  const header = url === undefined ? undefined : tokenHeader(env, url)
  if (header !== undefined) settings.push(header)
  child.GIT_CONFIG_COUNT = String(settings.length)
  for (const [n, [key, value]] of settings.entries()) {
    child[`GIT_CONFIG_KEY_${n}`] = key
    child[`GIT_CONFIG_VALUE_${n}`] = value
  }
  return {
    ...child,
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_DEFAULT_HASH: 'sha1',
    GIT_DEFAULT_REF_FORMAT: 'files',
    ...more,
  }
}

/** Settings that the caller gave by variables, as CI does with a token. */
function givenSettings(env: GitEnv): (readonly [string, string])[] {
  const count = Number(env.GIT_CONFIG_COUNT ?? 0)
  if (!Number.isInteger(count) || count < 0 || count > 1000) return []
  const given: (readonly [string, string])[] = []
  for (let n = 0; n < count; n++) {
    const [key, value] = [env[`GIT_CONFIG_KEY_${n}`], env[`GIT_CONFIG_VALUE_${n}`]]
    if (key !== undefined && value !== undefined) given.push([key, value])
  }
  return given
}

function tokenHeader(env: GitEnv, url: string): readonly [string, string] | undefined {
  const token = env.MLOPS_STORE_TOKEN
  const host = /^https?:\/\/(?:[^@/]*@)?([^/]+)/i.exec(url)
  if (token === undefined || token === '' || host === null || /[\r\n]/.test(token)) return undefined
  const scheme = url.slice(0, url.indexOf(':')).toLowerCase()
  // In clear text only to this machine.
  if (scheme === 'http' && !/^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/.test(host[1] ?? '')) return undefined
  // In a workflow the token is that of its server; an address in mlops.yaml must not send it somewhere else.
  const server = /^https?:\/\/([^/]+)/i.exec(env.GITHUB_SERVER_URL ?? '')?.[1]
  if (server !== undefined && server.toLowerCase() !== (host[1] ?? '').toLowerCase()) return undefined
  const basic = Buffer.from(`x-access-token:${token}`).toString('base64')
  return [`http.${scheme}://${host[1]}/.extraHeader`, `Authorization: Basic ${basic}`]
}
