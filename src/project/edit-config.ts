/**
 * Changing values in `mlops.yaml`: a plan that shows the lines, and putting it into effect. The file is read again
 * before it is replaced, the new text must load, and nothing but the values may differ. How text is cut: `edit-yaml.ts`.
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { conflict, failed, isMlopsError, type MlopsError, systemCode } from '../core/errors.ts'
import { readConfig } from './config-read.ts'
import { type Edit, editYaml, NotEditable } from './edit-yaml.ts'
import { type LineChange, lineChanges } from './line-changes.ts'
import { displayPath } from './load.ts'
import { configError } from './problems.ts'
import { parseYaml, type YamlNode } from './yaml.ts'

export interface ConfigEdit {
  /** Absolute, links followed. */
  readonly file: string
  /** For people. */
  readonly name: string
  readonly before: string
  readonly after: string
  /** Empty when the file says all of it already. */
  readonly lines: readonly LineChange[]
}

const HELP = 'Every key: mlops help configuration'

/**
 * Nothing is written.
 * @param file absolute
 * @throws usage `CONFIG_INVALID`; failed `CONFIG_NOT_EDITABLE`, `CONFIG_UNREADABLE`
 */
export async function planConfigEdit(file: string, edits: readonly Edit[], cwd: string): Promise<ConfigEdit> {
  const name = displayPath(file, cwd)
  const target = await realpath(file)
  const before = await textOf(target, name)
  const old = nodeOf(before, name)
  const wanted = edits.filter(({ path, value }) => valueAt(old, path) !== value)
  let after: string
  try {
    after = await editYaml(before, wanted)
  } catch (error) {
    if (error instanceof NotEditable) throw notEditable(name, error.line, error.message)
    throw error
  }
  assertOnly(old, nodeOf(after, name), wanted, name)
  return { file: target, name, before, after, lines: lineChanges(before, after) }
}

/**
 * Replaces the file at once: a reader sees the old text or the new one. Its mode is kept.
 * @throws conflict `CONFIG_CHANGED` when somebody else changed it since the plan; failed `CONFIG_NOT_WRITABLE`
 */
export async function applyConfigEdit(edit: ConfigEdit): Promise<void> {
  const { file, name, before, after } = edit
  if (before === after) return
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const facts = await stat(file)
    // Root may write everything, but a file without a w-bit was meant to stay as it is.
    if ((facts.mode & 0o222) === 0) throw notWritable(name, 'EACCES')
    await access(file, constants.W_OK)
    const handle = await open(temporary, 'wx', facts.mode & 0o777)
    try {
      await handle.chmod(facts.mode & 0o7777)
      // Another owner's file stays his where that is allowed; the group matters where a team shares it.
      await handle.chown(facts.uid, facts.gid).catch(() => handle.chown(-1, facts.gid).catch(() => {}))
      await handle.writeFile(after)
      await handle.sync()
    } finally {
      await handle.close()
    }
    if ((await readFile(file, 'utf8')) !== before) throw changed(name)
    await rename(temporary, file)
    await syncFolder(dirname(file))
  } catch (error) {
    await rm(temporary, { force: true })
    if (isMlopsError(error)) throw error
    const code = systemCode(error)
    throw code === undefined ? error : notWritable(name, code, error)
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined)
  await handle?.sync().catch(() => {})
  await handle?.close()
}

async function textOf(file: string, name: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const code = systemCode(error) ?? 'unknown reason'
    throw failed({
      code: 'CONFIG_UNREADABLE',
      message: `${name} cannot be read (${code}).`,
      hint: `Check its permissions: ls -l ${name}`,
      cause: error,
    })
  }
}

/** @throws usage `CONFIG_INVALID`: what is not valid is neither edited nor left behind */
function nodeOf(text: string, name: string): YamlNode {
  const parsed = parseYaml(Buffer.from(text, 'utf8'), name)
  if ('problem' in parsed) throw configError([parsed.problem], HELP)
  const { problems } = readConfig(parsed.node, name)
  if (problems.length > 0) throw configError(problems, HELP)
  return parsed.node
}

/** Plain data, without lines. */
function plain(node: YamlNode): unknown {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') return node.items.map(plain)
  return new Map(node.entries.map(({ key, value }) => [key, plain(value)]))
}

function valueAt(node: YamlNode, path: readonly string[]): unknown {
  let here: unknown = plain(node)
  for (const key of path) here = here instanceof Map ? here.get(key) : undefined
  return here
}

/** @throws failed `CONFIG_NOT_EDITABLE` when anything but the values would differ */
function assertOnly(old: YamlNode, now: YamlNode, edits: readonly Edit[], name: string): void {
  let expected = plain(old)
  for (const { path, value } of edits) expected = withValue(expected, path, value)
  if (isDeepStrictEqual(plain(now), expected)) return
  throw notEditable(name, 0, 'the way it is written leaves no safe place for the values')
}

function withValue(node: unknown, [key, ...rest]: readonly string[], value: Edit['value']): unknown {
  if (key === undefined) return value
  const map = new Map<unknown, unknown>(node instanceof Map ? node : [])
  return map.set(key, withValue(map.get(key), rest, value))
}

const notEditable = (name: string, line: number, why: string): MlopsError =>
  failed({
    code: 'CONFIG_NOT_EDITABLE',
    message: `${name}${line > 0 ? `:${line}` : ''} was not changed: ${why}.`,
    hint: 'Write the values into the file by hand',
  })

const notWritable = (name: string, code: string, cause?: unknown): MlopsError =>
  failed({
    code: 'CONFIG_NOT_WRITABLE',
    message: `${name} cannot be written (${code}). It is as it was.`,
    hint: `Check the permissions of the file and its folder: ls -l ${name}`,
    ...(cause === undefined ? {} : { cause }),
  })

const changed = (name: string): MlopsError =>
  conflict({
    code: 'CONFIG_CHANGED',
    message: `Somebody changed ${name} meanwhile. It is as they left it.`,
    hint: 'Run the command again',
  })
