/**
 * Paths and patterns of artifacts: `model.joblib`, `out/*.onnx`, `models/**`. Node 20 has no glob of its own.
 * `*` and `?` stay within one folder, `**` crosses folders; hidden folders and the store are not entered.
 */
import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { resolve } from 'node:path'

const SKIPPED = new Set(['.git', '.mlops', 'node_modules', '__pycache__', '.venv', 'venv'])
/** Of a pattern; more are a sign of a pattern that means too much. */
const MAX_MATCHES = 10_000

export const isPattern = (text: string): boolean => /[*?]/.test(text)

/**
 * Regular files that `pattern` names below `cwd`, relative to it, `/`-separated, sorted. A folder means every file
 * below it. Links to files are named like files: where they lead is for the caller to look at (`links.ts`); links to
 * folders are not entered below a folder.
 */
export async function matchFiles(pattern: string, cwd: string): Promise<string[]> {
  const parts = pattern
    .replace(/^(?:\.\/)+/, '')
    .split('/')
    .filter((part) => part !== '')
  const rootPart = pattern.startsWith('/') ? '/' : ''
  const found: string[] = []
  await descend(cwd, rootPart, parts, found)
  return [...new Set(found)].sort()
}

async function descend(cwd: string, prefix: string, parts: readonly string[], found: string[]): Promise<void> {
  if (found.length >= MAX_MATCHES) return
  const [part, ...rest] = parts
  if (part === undefined) return await take(cwd, prefix, found)
  if (part === '**') {
    await descend(cwd, prefix, rest.length === 0 ? ['*'] : rest, found)
    for (const entry of await entries(cwd, prefix)) {
      if (entry.isDirectory() && !SKIPPED.has(entry.name) && !entry.name.startsWith('.')) {
        await descend(cwd, `${prefix}${entry.name}/`, parts, found)
      }
    }
    return
  }
  if (!isPattern(part)) return await descend(cwd, `${prefix}${part}${rest.length > 0 ? '/' : ''}`, rest, found)
  const matcher = toRegExp(part)
  for (const entry of await entries(cwd, prefix)) {
    if (!matcher.test(entry.name) || SKIPPED.has(entry.name)) continue
    if (rest.length > 0 && !entry.isDirectory()) continue
    await descend(cwd, `${prefix}${entry.name}${rest.length > 0 ? '/' : ''}`, rest, found)
  }
}

async function take(cwd: string, path: string, found: string[]): Promise<void> {
  const facts = await stat(resolve(cwd, path)).catch(() => undefined)
  if (facts?.isFile()) found.push(path)
  else if (facts?.isDirectory()) {
    for (const entry of await entries(cwd, `${path}/`)) {
      if (SKIPPED.has(entry.name) || found.length >= MAX_MATCHES) continue
      if (entry.isFile()) found.push(`${path}/${entry.name}`)
      else if (entry.isDirectory()) await take(cwd, `${path}/${entry.name}`, found)
      else if (entry.isSymbolicLink() && (await isFile(resolve(cwd, path, entry.name)))) {
        found.push(`${path}/${entry.name}`)
      }
    }
  }
}

const isFile = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined))?.isFile() === true

async function entries(cwd: string, prefix: string): Promise<Dirent[]> {
  return await readdir(resolve(cwd, prefix), { withFileTypes: true }).catch(() => [])
}

function toRegExp(part: string): RegExp {
  const body = part
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '[^/]*')
    .replace(/\?/g, '[^/]')
  return new RegExp(`^${part.startsWith('.') ? '' : '(?!\\.)'}${body}$`)
}
