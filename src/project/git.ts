/**
 * What git knows of a folder: commit, branch, remote, and the changes that no commit holds yet, as a patch.
 *
 * Read-only: no lock is taken, no hook runs, nothing is fetched. Never in the patch: data, secrets by file name, large
 * files; values that look like secrets are redacted. Running it beside a training command and storing the patch belong
 * to `src/tracking/`.
 */
import { lstat, readFile } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import { redact, redactBytes } from '../core/redact.ts'
import { findGitTop } from './find.ts'

export interface GitSnapshot {
  readonly commit: string | null
  readonly branch: string | null
  /** User-info removed. */
  readonly remote: string | null
  readonly dirty: boolean
  readonly patch?: { readonly bytes: Buffer; readonly files: readonly string[] }
  /** What the patch leaves out, and why; how many values were redacted. */
  readonly notes: readonly string[]
}

export type GitResult =
  | { readonly kind: 'facts'; readonly facts: GitSnapshot }
  /** No repository, no git, or git refuses: `reason` is one sentence. */
  | { readonly kind: 'none'; readonly reason: string }

export interface GitRequest {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Absolute folders that are none of the project's source: the store. */
  readonly exclude?: readonly string[]
  /** Of what `git status` lists; 8 MiB. A home folder in a repository has millions of new files. Bytes. */
  readonly maxStatus?: number
}

/** Of an untracked file, so that a stray dump of rows does not become "source". Bytes. */
const MAX_FILE = 256 * 1024
/** Of the whole patch. Bytes. */
const MAX_PATCH = 4 * 1024 * 1024
const MAX_UNTRACKED = 500
const MAX_STATUS = 8 * 1024 * 1024
const GIT_MILLISECONDS = 20_000

const SOURCE =
  /\.(?:py|pyi|pyx|ipynb|r|rmd|qmd|jl|scala|java|kt|go|rs|c|cc|cpp|h|hpp|cu|js|mjs|cjs|ts|tsx|sh|bash|zsh|ps1|sql|stan|lua|pl|rb|ya?ml|toml|cfg|ini|conf|md|rst|tex|j2|jinja2|proto|dockerfile|mk|lock)$/i
const SOURCE_NAME =
  /^(?:Dockerfile.*|Makefile|Justfile|Snakefile|Procfile|Pipfile|requirements[^/]*\.(?:txt|in)|constraints[^/]*\.txt|environment[^/]*\.ya?ml|dvc\.lock|params\.json|config[^/]*\.json|\.gitignore|\.gitattributes|\.python-version)$/i
const DATA =
  /\.(?:csv|tsv|parquet|feather|arrow|avro|orc|jsonl|ndjson|xlsx?|ods|h5|hdf5|npy|npz|pkl|pickle|joblib|pt|pth|onnx|safetensors|bin|model|sav|rds|rdata|sqlite3?|db|duckdb|zip|gz|bz2|xz|zst|tar|tgz|7z|png|jpe?g|gif|webp|bmp|tiff?|wav|mp3|flac|mp4|avi|mov|pdf)$/i
const SECRET_NAME =
  /(?:^|\/)(?:\.env(?!\.(?:example|sample|template)$)[^/]*|[^/]*\.env|\.netrc|\.pypirc|\.npmrc|\.pgpass|\.htpasswd|id_(?:rsa|dsa|ecdsa|ed25519)[^/]*|[^/]*\.(?:pem|key|p12|pfx|jks|keystore|kdbx|asc|gpg|ovpn)|[^/]*(?:secret|credential|password)s?[^/]*\.(?:json|ya?ml|toml|ini|cfg|conf|txt|properties)|service[-_]?account[^/]*\.json)$/i

/** @param cwd absolute; the facts are those of the repository around it. Never throws for what git says. */
export async function gitFacts(cwd: string, request: GitRequest): Promise<GitResult> {
  // Looking for .git costs a microsecond, loading simple-git and asking git costs 50 ms. GIT_DIR may say otherwise.
  const found = request.env.GIT_DIR === undefined ? findGitTop(cwd) : undefined
  if (found === undefined && request.env.GIT_DIR === undefined) {
    return { kind: 'none', reason: 'the folder is in no git repository' }
  }
  let git: Git
  let status: Output
  let top: string
  let remote: string | undefined
  try {
    git = await openGit(cwd, request.env)
    const [topText, statusText, remoteText] = await Promise.all([
      found ?? git(['rev-parse', '--show-toplevel']),
      git.bytes(STATUS, request.maxStatus ?? MAX_STATUS),
      // The second name is always there: simple-git waits 50 ms more for a command that prints nothing.
      git(['config', '--get-regexp', '^(remote\\..*\\.url|core\\.repositoryformatversion)$']).catch(() => ''),
    ])
    top = topText.replace(/\n$/, '')
    status = statusText
    remote = pickRemote(remoteText)
  } catch (error) {
    return { kind: 'none', reason: whyNone(error) }
  }
  const { commit, branch, changed, untracked } = parseStatus(wholeRecords(status))
  const excluded = (request.exclude ?? []).map((folder) => relative(top, folder).split('\\').join('/'))
  const isOurs = (path: string): boolean =>
    !path.endsWith('/') && !excluded.some((folder) => path === folder || path.startsWith(`${folder}/`))
  const facts = {
    commit,
    branch,
    remote: remote === undefined ? null : redact(remote).text,
    dirty: changed.length > 0 || untracked.some(isOurs),
  }
  if (!facts.dirty) return { kind: 'facts', facts: { ...facts, notes: [] } }
  const notes = status.cut ? ['git names too many new files; only the first of them were looked at'] : []
  const patch = await dirtyPatch(git, top, changed, untracked.filter(isOurs), commit !== null, notes).catch((error) => {
    notes.push(`the patch could not be made: ${whyNone(error)}`)
    return undefined
  })
  return { kind: 'facts', facts: { ...facts, ...(patch === undefined ? {} : { patch }), notes } }
}

/** Changed files come before the new ones, so the end can be missed. */
const STATUS = ['status', '--porcelain=v2', '-z', '--branch', '--untracked-files=all', '--no-renames'] as const

const wholeRecords = ({ bytes, cut }: Output): string =>
  (cut ? bytes.subarray(0, bytes.lastIndexOf(0) + 1) : bytes).toString('utf8')

interface Output {
  /** As git printed them: the sources of a patch may be in any encoding. */
  readonly bytes: Buffer
  /** There was more than the limit, and git was stopped. */
  readonly cut: boolean
}

interface Git {
  (args: readonly string[]): Promise<string>
  bytes(args: readonly string[], limit: number): Promise<Output>
}

async function openGit(cwd: string, env: GitRequest['env']): Promise<Git> {
  // Measured: 30 ms to import, so only once the training command has been started.
  const { simpleGit } = await import('simple-git')
  // Of the caller's environment only what git needs to find itself and the user's configuration: simple-git refuses
  // to start git with variables that name programs (GIT_SSH_COMMAND, EDITOR, PAGER), and none of them is needed.
  const kept = ['PATH', 'HOME', 'XDG_CONFIG_HOME', 'USERPROFILE', 'SYSTEMROOT', 'TMPDIR', 'GIT_DIR', 'GIT_WORK_TREE']
  const child: Record<string, string> = { LC_ALL: 'C' }
  for (const name of kept) {
    const value = env[name]
    if (value !== undefined) child[name] = value
  }
  const fresh = (abort?: AbortSignal) =>
    simpleGit({
      baseDir: cwd,
      ...(abort === undefined ? {} : { abort }),
      timeout: { block: GIT_MILLISECONDS },
      maxConcurrentProcesses: 3,
      // Its guard cannot tell switching the monitor off from naming a program.
      unsafe: { allowUnsafeFsMonitor: true },
    }).env(child)
  // A repository may name a program as its file system monitor, and status would run it.
  const safe = ['--no-optional-locks', '-c', 'core.quotePath=false', '-c', 'core.fsmonitor=false']
  const instance = fresh()
  return Object.assign(async (args: readonly string[]) => await instance.raw([...safe, ...args]), {
    async bytes(args: readonly string[], limit: number): Promise<Output> {
      const chunks: Buffer[] = []
      let size = 0
      const enough = new AbortController()
      // simple-git itself decodes what it collects as UTF-8, and collects without end.
      const tapped = fresh(enough.signal).outputHandler((_command, stdout) => {
        stdout.on('data', (chunk: Buffer) => {
          if (size <= limit) chunks.push(chunk)
          size += chunk.length
          if (size > limit) enough.abort()
        })
      })
      try {
        await tapped.raw([...safe, ...args])
      } catch (error) {
        if (size <= limit) throw error
      }
      return { bytes: Buffer.concat(chunks).subarray(0, limit), cut: size > limit }
    },
  })
}

/** `origin` if there is one, else the first by name. */
function pickRemote(text: string): string | undefined {
  const remotes = text
    .split('\n')
    .map((line) => /^remote\.(.*)\.url (.*)$/.exec(line))
    .filter((match) => match !== null)
  const chosen = remotes.find((match) => match[1] === 'origin') ?? remotes[0]
  return chosen?.[2]
}

interface Status {
  readonly commit: string | null
  readonly branch: string | null
  readonly changed: readonly string[]
  readonly untracked: readonly string[]
}

/** `git status --porcelain=v2 -z --no-renames`: paths relative to the top folder, NUL after each record. */
function parseStatus(text: string): Status {
  let commit: string | null = null
  let branch: string | null = null
  const changed: string[] = []
  const untracked: string[] = []
  for (const record of text.split('\0')) {
    if (record.startsWith('# branch.oid ')) {
      const oid = record.slice(13)
      commit = oid === '(initial)' ? null : oid
    } else if (record.startsWith('# branch.head ')) {
      const head = record.slice(14)
      branch = head === '(detached)' ? null : head
    } else if (record.startsWith('? ')) untracked.push(record.slice(2))
    else if (record.startsWith('1 ')) changed.push(afterFields(record, 8))
    else if (record.startsWith('u ')) changed.push(afterFields(record, 10))
  }
  return { commit, branch, changed, untracked }
}

/** What follows the first `count` space-separated fields: a path may hold spaces. */
function afterFields(record: string, count: number): string {
  let at = 0
  for (let field = 0; field < count; field++) at = record.indexOf(' ', at) + 1
  return record.slice(at)
}

async function dirtyPatch(
  git: Git,
  top: string,
  changed: readonly string[],
  untracked: readonly string[],
  hasCommit: boolean,
  notes: string[],
): Promise<GitSnapshot['patch']> {
  const tracked = changed.filter((path) => !SECRET_NAME.test(path) && !DATA.test(path))
  const sources = untracked.filter((path) => isSource(path) && !SECRET_NAME.test(path))
  const omitted = [...changed, ...untracked].filter((path) => !tracked.includes(path) && !sources.includes(path))
  if (omitted.length > 0) notes.push(`not in the patch (data, secrets or unknown kinds): ${some(omitted)}`)

  const parts: Buffer[] = []
  const files: string[] = []
  let size = 0
  let redacted = 0
  const take = (path: string, part: Buffer | undefined): void => {
    if (part === undefined || size + part.length > MAX_PATCH) {
      notes.push(`too large or not text, not in the patch: ${path}`)
      return
    }
    const clean = redactBytes(part)
    parts.push(clean.bytes)
    size += clean.bytes.length
    redacted += clean.count
    files.push(path)
  }
  if (hasCommit) {
    const small: string[] = []
    for (const path of tracked) {
      if (await isLarge(join(top, path))) notes.push(`too large for the patch: ${path}`)
      else small.push(path)
    }
    const paths = small.map((path) => join(top, path))
    const diff = small.length === 0 ? undefined : await git.bytes(diffArguments(paths), 4 * MAX_PATCH)
    if (diff?.cut === true) notes.push('the changes are too large for the patch; those of the last files are missing')
    // A line of content begins with +, - or a space, so this splits at the headers of files alone. What was cut off is
    // beyond the largest patch, so no torn part gets in.
    for (const part of bytewise(diff?.bytes ?? '').split(/^(?=diff --git )/m)) {
      const path = small.find((name) => part.startsWith(`diff --git ${bytewise(quoted(`a/${name}`))} `))
      if (path !== undefined) {
        take(path, /^Binary files .* differ$/m.test(part) ? undefined : Buffer.from(part, 'latin1'))
      }
    }
  }
  const added = hasCommit ? sources : [...tracked, ...sources]
  if (added.length > MAX_UNTRACKED) notes.push(`only the first ${MAX_UNTRACKED} of ${added.length} new files are in it`)
  for (const path of added.slice(0, MAX_UNTRACKED)) take(path, await newFileHunk(top, path))
  if (parts.length === 0) return undefined
  if (redacted > 0) notes.push(`${redacted} ${redacted === 1 ? 'value' : 'values'} that look like secrets redacted`)
  return { bytes: Buffer.concat(parts), files }
}

/** One character per byte, so that text in any encoding can be cut at its lines and be put together unchanged. */
const bytewise = (content: Buffer | string): string =>
  (typeof content === 'string' ? Buffer.from(content, 'utf8') : content).toString('latin1')

async function isLarge(path: string): Promise<boolean> {
  const facts = await lstat(path).catch(() => undefined)
  return facts !== undefined && facts.size > MAX_PATCH
}

const isSource = (path: string): boolean => SOURCE.test(path) || SOURCE_NAME.test(basename(path))

const some = (paths: readonly string[]): string =>
  paths.length <= 5 ? paths.join(', ') : `${paths.slice(0, 5).join(', ')} and ${paths.length - 5} more`

const diffArguments = (paths: readonly string[]): string[] => [
  'diff',
  'HEAD',
  '--no-color',
  '--no-ext-diff',
  '--no-textconv',
  '--no-renames',
  '--src-prefix=a/',
  '--dst-prefix=b/',
  '--',
  ...paths,
]

/** The hunk with which `git apply` creates the file; undefined when it is too large, binary, or no regular file. */
async function newFileHunk(top: string, path: string): Promise<Buffer | undefined> {
  const full = join(top, path)
  const facts = await lstat(full).catch(() => undefined)
  if (facts === undefined || !facts.isFile() || facts.size > MAX_FILE) return undefined
  const bytes = await readFile(full).catch(() => undefined)
  if (bytes === undefined || bytes.includes(0)) return undefined
  const text = bytewise(bytes)
  const mode = (facts.mode & 0o111) === 0 ? '100644' : '100755'
  const [from, to] = [bytewise(quoted(`a/${path}`)), bytewise(quoted(`b/${path}`))]
  const head = `diff --git ${from} ${to}\nnew file mode ${mode}\n`
  if (text === '') return Buffer.from(head, 'latin1')
  const lines = text.split('\n')
  const ended = lines.at(-1) === ''
  if (ended) lines.pop()
  const body = lines.map((line) => `+${line}\n`).join('')
  const count = lines.length === 1 ? '1' : `1,${lines.length}`
  const end = ended ? '' : '\\ No newline at end of file\n'
  return Buffer.from(`${head}--- /dev/null\n+++ ${to}\n@@ -0,0 +${count} @@\n${body}${end}`, 'latin1')
}

/** As git quotes paths: only where control characters, quotes or backslashes make it necessary. */
function quoted(path: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to be escaped
  if (!/[\u0000-\u001f"\\\u007f]/.test(path)) return path
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to be escaped
  const escaped = path.replace(/["\\]/g, '\\$&').replace(/[\u0000-\u001f\u007f]/g, (character) => {
    return `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`
  })
  return `"${escaped}"`
}

function whyNone(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  if (/ENOENT/.test(text)) return 'git is not installed'
  if (/not a git repository/i.test(text)) return 'the folder is in no git repository'
  if (/dubious ownership/i.test(text)) return 'git refuses: the repository belongs to another user (safe.directory)'
  if (/must be run in a work tree/i.test(text)) return 'the repository has no work tree'
  if (/block timeout/i.test(text)) return `git gave no answer within ${GIT_MILLISECONDS / 1000} s`
  return `git failed: ${text.trim().split('\n')[0]}`
}
