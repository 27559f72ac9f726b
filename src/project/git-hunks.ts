/**
 * The text of patches, one file at a time: new files, and what becomes of secrets. Text is one character per byte
 * (latin1) everywhere here, so that what is in any encoding comes out as it went in.
 */
import { lstat, readFile, readlink } from 'node:fs/promises'
import { isAbsolute, join, normalize } from 'node:path'
import { redactBytes } from '../core/redact.ts'

export interface Part {
  readonly text: string
  /** Values that were taken out. */
  readonly redacted: number
}

/** Of an untracked file, so that a stray dump of rows does not become "source". Bytes. */
const MAX_FILE = 256 * 1024

export const bytewise = (content: Buffer | string): string =>
  (typeof content === 'string' ? Buffer.from(content, 'utf8') : content).toString('latin1')

/** @returns `diff --git …` as git writes it for this path, with the line break */
export const headerOf = (path: string): string =>
  `diff --git ${bytewise(quoted(`a/${path}`))} ${bytewise(quoted(`b/${path}`))}\n`

/**
 * The patch with which `git apply` creates the file, without the secrets in it.
 * @returns undefined when it is too large, binary, or neither a regular file nor a link within the repository
 */
export async function newFile(top: string, path: string): Promise<Part | undefined> {
  const full = join(top, path)
  const facts = await lstat(full).catch(() => undefined)
  if (facts === undefined) return undefined
  if (facts.isSymbolicLink()) return await newLink(top, path)
  if (!facts.isFile() || facts.size > MAX_FILE) return undefined
  const bytes = await readFile(full).catch(() => undefined)
  if (bytes === undefined || bytes.includes(0)) return undefined
  // Before it is cut into lines: a key of many lines becomes one.
  const clean = redactBytes(bytes)
  return {
    text: created(path, (facts.mode & 0o100) === 0 ? '100644' : '100755', bytewise(clean.bytes)),
    redacted: clean.count,
  }
}

/** A link out of the repository would mean something else in another checkout. */
async function newLink(top: string, path: string): Promise<Part | undefined> {
  const target = await readlink(join(top, path)).catch(() => undefined)
  if (target === undefined || isAbsolute(target) || target.includes('\ufffd')) return undefined
  if (/^\.\.(?:\/|$)/.test(normalize(join(path, '..', target)))) return undefined
  return { text: created(path, '120000', bytewise(target)), redacted: 0 }
}

function created(path: string, mode: string, text: string): string {
  const head = `${headerOf(path)}new file mode ${mode}\n`
  if (text === '') return head
  const lines = text.split('\n')
  const ended = lines.at(-1) === ''
  if (ended) lines.pop()
  const body = lines.map((line) => `+${line}\n`).join('')
  const count = lines.length === 1 ? '1' : `1,${lines.length}`
  const end = ended ? '' : '\\ No newline at end of file\n'
  return `${head}--- /dev/null\n+++ ${bytewise(quoted(`b/${path}`))}\n@@ -0,0 +${count} @@\n${body}${end}`
}

/**
 * The patch of one file without the secrets that it adds, still one that `git apply` takes.
 * @returns undefined when a line that it takes away, or that stands around, looks like a secret: changed, it would not
 *   apply to anything
 */
export function withoutSecrets(part: string): Part | undefined {
  const at = part.search(/(?<=\n)@@ /)
  if (at < 0) return redactedText(part).count === 0 ? { text: part, redacted: 0 } : undefined
  let redacted = 0
  let shift = 0
  const hunks = part
    .slice(at)
    .split(/(?<=\n)(?=@@ )/)
    .map((hunk) => {
      const [head = '', ...lines] = hunk.split(/(?<=\n)/)
      const clean = cleanAdditions(lines)
      redacted += clean.redacted
      const [, old, start, count = '1'] = /^@@ -(\S+) \+(\d+)(?:,(\d+))? @@/.exec(head) ?? []
      const lost = lines.length - clean.lines.length
      // Behind it git writes the beginning of the function, or some other line that may be a secret.
      const now = `@@ -${old} +${Number(start) - shift},${Number(count) - lost} @@\n`
      shift += lost
      return now + clean.lines.join('')
    })
  const others = hunks.flatMap((hunk) => hunk.split(/(?<=\n)/).slice(1)).filter((line) => !line.startsWith('+'))
  const isClean = redactedText(others.map((line) => line.slice(1)).join('')).count === 0
  return isClean ? { text: part.slice(0, at) + hunks.join(''), redacted } : undefined
}

/** Lines that are added one after the other are looked at together: some secrets have several. */
function cleanAdditions(lines: readonly string[]): { readonly lines: string[]; readonly redacted: number } {
  const out: string[] = []
  let added: string[] = []
  let redacted = 0
  const flush = (): void => {
    if (added.length === 0) return
    const { text, count } = redactedText(added.map((line) => line.slice(1)).join(''))
    // A key without an end is taken away with the last line break.
    const lines = `${text.replace(/\n$/, '')}\n`.split(/(?<=\n)/)
    out.push(...(count === 0 ? added : lines.map((line) => `+${line}`)))
    redacted += count
    added = []
  }
  for (const line of lines) {
    if (line.startsWith('+')) added.push(line)
    else {
      flush()
      out.push(line)
    }
  }
  flush()
  return { lines: out, redacted }
}

function redactedText(text: string): { readonly text: string; readonly count: number } {
  const { bytes, count } = redactBytes(Buffer.from(text, 'latin1'))
  return { text: bytewise(bytes), count }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
}

/** As git quotes paths (core.quotePath=false): only where control characters, quotes or backslashes make it necessary. */
export function quoted(path: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to be escaped
  if (!/[\u0000-\u001f"\\\u007f]/.test(path)) return path
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to be escaped
  const escaped = path.replace(/["\\]/g, '\\$&').replace(/[\u0000-\u001f\u007f]/g, (character) => {
    return ESCAPES[character] ?? `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`
  })
  return `"${escaped}"`
}
