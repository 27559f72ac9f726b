/**
 * A real PostgreSQL server for one test run: a fresh cluster in a temporary folder, on a free port of 127.0.0.1, whose
 * user has a password (so that wrong ones are refused). Skips with the reason where there are no server binaries.
 *
 * For tests in another language: `node --import tsx test/support/postgres.ts` prints the URL on a line of its own and
 * stops the server when its standard input ends; exit code 77 and the reason on stderr when there is no PostgreSQL.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { skipBecause } from './skip.ts'

export interface PostgresServer {
  /** `postgres://mlops:PASSWORD@127.0.0.1:PORT/postgres`: a superuser of this server. */
  readonly url: string
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
  readonly stop: () => Promise<void>
}

/**
 * Call it in `before`, and `stop` in `after`.
 * @param context `this` of the hook or test: skipped when no server can run here
 */
export async function startPostgres(context: Mocha.Context): Promise<PostgresServer> {
  const bin = findPostgres()
  if (bin === undefined) skipBecause(context, NOT_INSTALLED)
  // Making a cluster takes seconds on a busy machine; a hung one is ended by the runner of the whole suite.
  context.timeout(0)
  return startServer(bin)
}

const NOT_INSTALLED = 'the PostgreSQL server is not installed (Debian: apt-get install postgresql)'

/** The folder of `initdb` and `postgres`, the newest version when there are several. */
export function findPostgres(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...versions.map((version) => join(debian, version, 'bin')),
    '/usr/local/bin',
    '/usr/local/pgsql/bin',
    '/opt/homebrew/bin',
  ]
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')))
}

const USER = 'mlops'

async function startServer(bin: string): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'mlops-postgres-'))
  const owner = ownerOfServer()
  const password = `p@ss:${randomBytes(9).toString('hex')}`
  const pwfile = join(folder, 'password')
  const data = join(folder, 'data')
  writeFileSync(pwfile, password)
  if (owner !== undefined) execFileSync('chown', ['-R', owner, folder])
  chmodSync(folder, 0o700)
  const initdb = [
    ...['-D', data, '-U', USER, `--pwfile=${pwfile}`, '--auth=scram-sha-256', '-E', 'UTF8', '--locale=C', '--no-sync'],
  ]
  const [command, ...args] = asOwner(owner, join(bin, 'initdb'), initdb)
  const made = spawnSync(command, args, { cwd: folder, encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr || made.error?.message}`)
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const started = await runServer(bin, folder, owner, port)
    if (typeof started !== 'string') {
      const url = `postgres://${USER}:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`
      return { url, host: '127.0.0.1', port, user: USER, password, database: 'postgres', stop: started }
    }
    // Somebody took the port in between.
    if (attempt === 5 || !/Address already in use/.test(started)) throw new Error(`postgres did not start: ${started}`)
  }
}

/** @returns how to stop it, or what it said before it ended */
async function runServer(
  bin: string,
  folder: string,
  owner: string | undefined,
  port: number,
): Promise<(() => Promise<void>) | string> {
  const options = [
    ...['-D', join(folder, 'data'), '-h', '127.0.0.1', '-p', String(port), '-k', folder],
    ...['-c', 'fsync=off', '-c', 'log_destination=stderr', '-c', 'logging_collector=off', '-c', 'shared_buffers=32MB'],
  ]
  const [command, ...args] = asOwner(owner, join(bin, 'postgres'), options)
  const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const kill = () => child.kill('SIGQUIT')
  process.once('exit', kill)
  const said = await readyOrEnded(child)
  if (said !== undefined) {
    process.off('exit', kill)
    return said
  }
  return async () => {
    process.off('exit', kill)
    child.kill('SIGINT')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Waits for the line the server writes when it answers. @returns undefined then, else all it said before it ended */
function readyOrEnded(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let said = ''
    child.once('error', reject)
    child.once('exit', () => resolve(said))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-10_000)
      if (said.includes('ready to accept connections')) resolve(undefined)
    })
  })
}

/** PostgreSQL refuses to run as root: then it runs as the user that its package made, or as nobody. */
function ownerOfServer(): string | undefined {
  if (process.getuid?.() !== 0) return undefined
  return spawnSync('id', ['-u', 'postgres']).status === 0 ? 'postgres' : 'nobody'
}

function asOwner(owner: string | undefined, program: string, args: readonly string[]): [string, ...string[]] {
  if (owner === undefined) return [program, ...args]
  const gid = execFileSync('id', ['-g', owner], { encoding: 'utf8' }).trim()
  // Ends with us even when we are killed.
  const dies = /--pdeathsig/.test(spawnSync('setpriv', ['--help'], { encoding: 'utf8' }).stdout)
    ? ['--pdeathsig=QUIT']
    : []
  return ['setpriv', ...dies, `--reuid=${owner}`, `--regid=${gid}`, '--clear-groups', '--', program, ...args]
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

async function serveUntilStdinEnds(): Promise<void> {
  const bin = findPostgres()
  if (bin === undefined) {
    console.error(NOT_INSTALLED)
    process.exitCode = 77
    return
  }
  const server = await startServer(bin)
  console.log(server.url)
  for await (const _ of process.stdin) {
    // Only its end matters.
  }
  await server.stop()
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  await serveUntilStdinEnds()
