/**
 * What no commit holds yet, as one patch that `git apply` takes: changed files, and new ones that are source. Never in
 * it: data, secrets by file name, large files; values that look like secrets are redacted.
 */
import { lstat, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { redactBytes } from '../core/redact.ts'
import type { Git } from './git-run.ts'

export interface GitPatch {
  readonly bytes: Buffer
  readonly files: readonly string[]
}

export interface PatchRequest {
  /** Absolute. */
  readonly top: string
  /** Relative to `top`. */
  readonly changed: readonly string[]
  readonly untracked: readonly string[]
  readonly hasCommit: boolean
}

/** Of an untracked file, so that a stray dump of rows does not become "source". Bytes. */
const MAX_FILE = 256 * 1024
/** Of the whole patch. Bytes. */
const MAX_PATCH = 4 * 1024 * 1024
const MAX_UNTRACKED = 500

const SOURCE =
  /\.(?:py|pyi|pyx|ipynb|r|rmd|qmd|jl|scala|java|kt|go|rs|c|cc|cpp|h|hpp|cu|js|mjs|cjs|ts|tsx|sh|bash|zsh|ps1|sql|stan|lua|pl|rb|ya?ml|toml|cfg|ini|conf|md|rst|tex|j2|jinja2|proto|dockerfile|mk|lock)$/i
const SOURCE_NAME =
  /^(?:Dockerfile.*|Makefile|Justfile|Snakefile|Procfile|Pipfile|requirements[^/]*\.(?:txt|in)|constraints[^/]*\.txt|environment[^/]*\.ya?ml|dvc\.lock|params\.json|config[^/]*\.json|\.gitignore|\.gitattributes|\.python-version)$/i
const DATA =
  /\.(?:csv|tsv|parquet|feather|arrow|avro|orc|jsonl|ndjson|xlsx?|ods|h5|hdf5|npy|npz|pkl|pickle|joblib|pt|pth|onnx|safetensors|bin|model|sav|rds|rdata|sqlite3?|db|duckdb|zip|gz|bz2|xz|zst|tar|tgz|7z|png|jpe?g|gif|webp|bmp|tiff?|wav|mp3|flac|mp4|avi|mov|pdf)$/i
const SECRET_NAME =
  /(?:^|\/)(?:\.env(?!\.(?:example|sample|template)$)[^/]*|[^/]*\.env|\.netrc|\.pypirc|\.npmrc|\.pgpass|\.htpasswd|id_(?:rsa|dsa|ecdsa|ed25519)[^/]*|[^/]*\.(?:pem|key|p12|pfx|jks|keystore|kdbx|asc|gpg|ovpn)|[^/]*(?:secret|credential|password)s?[^/]*\.(?:json|ya?ml|toml|ini|cfg|conf|txt|properties)|service[-_]?account[^/]*\.json)$/i

/** @param notes gets a line for whatever is left out; undefined when nothing is left to be in it */
export async function dirtyPatch(
  git: Git,
  { top, changed, untracked, hasCommit }: PatchRequest,
  notes: string[],
): Promise<GitPatch | undefined> {
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
