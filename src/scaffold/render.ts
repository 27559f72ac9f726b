/**
 * Templates to files. `templates/<kind>/…` is shipped with the package: `X.eta` is rendered to `X`, anything else is
 * copied as it is, and a leading `dot-` of a name becomes a dot (npm leaves dot files out of packages). In a template
 * `<%= value %>` is always the whole literal in the language of the target file (encode.ts), never part of one; raw output
 * exists only through the helpers below, which check what they print.
 */
import type { Dirent } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { failed } from '../core/errors.ts'
import { nameProblem } from '../core/names.ts'
import { clientFolder, templateFolder } from '../tracking/execute/client-path.ts'
import {
  actionsValue,
  commentText,
  encoderFor,
  jsonValue,
  markdownText,
  NotEncodable,
  pythonLiteral,
  scalarText,
  shellQuoted,
  yamlValue,
} from './encode.ts'
import type { GeneratedFile } from './types.ts'

export interface RenderOptions {
  /** What templates see as `it`. */
  readonly values: Readonly<Record<string, unknown>>
  /** Target paths that are written once and then a person's own. */
  readonly yours?: readonly string[]
  /** Which target paths to take; all by default. */
  readonly only?: (path: string) => boolean
  /** For tests: where the templates are, instead of `templates/<kind>` of this installation. */
  readonly folder?: string
}

/**
 * The files of one kind of scaffold, sorted by path.
 * @throws failed `TEMPLATES_MISSING`, `TEMPLATE_BROKEN` (a mistake of ours, which names the template and the line)
 */
export async function renderTemplates(kind: string, options: RenderOptions): Promise<GeneratedFile[]> {
  const folder = options.folder ?? (await existing(kind))
  const files: GeneratedFile[] = []
  for (const source of await filesUnder(folder)) {
    const path = targetOf(source)
    if (options.only?.(path) === false) continue
    const text = await readFile(join(folder, ...source.split('/')), 'utf8')
    const content = source.endsWith('.eta') ? await renderText(text, path, options.values) : text
    files.push({
      path,
      content,
      care: options.yours?.includes(path) === true ? 'yours' : 'kept in step',
      ...(path.endsWith('.sh') ? { executable: true } : {}),
    })
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** The Python client as files of a scaffold: standard library only, no run-time dependency on this program. */
export async function clientFiles(under = 'mlops'): Promise<GeneratedFile[]> {
  const folder = clientFolder()
  if (folder === undefined) throw incomplete('templates/python')
  const names = await filesUnder(join(folder, 'mlops'))
  return Promise.all(
    names.map(async (name) => ({
      path: `${under}/${name}`,
      content: await readFile(join(folder, 'mlops', ...name.split('/')), 'utf8'),
      care: 'kept in step' as const,
    })),
  )
}

/** One template. @throws failed `TEMPLATE_BROKEN` */
export async function renderText(
  template: string,
  path: string,
  values: Readonly<Record<string, unknown>>,
): Promise<string> {
  const { Eta } = await import('eta')
  const unchecked = uncheckedRaw(template)
  if (unchecked !== undefined) throw broken(path, `raw output that nothing checks: ${unchecked}`)
  const eta = new Eta({
    autoEscape: true,
    // A literal at the end of a line must not swallow the line break; `-%>` does where that is wanted.
    autoTrim: false,
    cache: false,
    escapeFunction: encoderFor(path),
  })
  try {
    return eta.renderString(template, { ...values, ...HELPERS })
  } catch (error) {
    throw broken(path, error instanceof Error ? error.message : String(error))
  }
}

const KEYWORDS = new Set(
  'False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield match case type _'.split(
    ' ',
  ),
)

/** Is it a name that Python code may use for a variable? */
export const isIdentifier = (text: string): boolean => /^[A-Za-z_]\w*$/.test(text) && !KEYWORDS.has(text)

/**
 * For raw output, `<%~ it.comment(x) %>`: what stands where no literal can. Each checks or encodes by itself. Encoders of
 * other languages are here too, for a shell command inside a YAML block.
 */
export const HELPERS = {
  /** An identifier of Python. */
  identifier: (value: unknown): string => checked(scalarText(value), isIdentifier, 'is no identifier'),
  /** A type of Python: `float`, `Optional[Dict[str, float]]`. */
  annotation: (value: unknown): string =>
    checked(scalarText(value), (text) => /^[A-Za-z]\w*(?:\[[A-Za-z, [\]]+\])?$/.test(text), 'is no type'),
  /** A name of a model or stage: also fit for a file name, a job id, a URL. */
  name: (value: unknown): string => checked(scalarText(value), (text) => nameProblem(text) === undefined, 'is no name'),
  /** `2.1`, `3.11`, `v4`: digits, letters, dots, dashes. */
  token: (value: unknown): string => checked(scalarText(value), (text) => /^[\w.-]+$/.test(text), 'is no token'),
  integer: (value: unknown): string =>
    checked(scalarText(value), (text) => /^-?\d{1,15}$/.test(text), 'is no whole number'),
  digest: (value: unknown): string =>
    checked(scalarText(value), (text) => /^[0-9a-f]{7,64}$/.test(text), 'is no digest'),
  /** Five fields of cron. */
  cronTime: (value: unknown): string =>
    checked(scalarText(value), (text) => /^[\d*,/-]+(?: [\d*,/-]+){4}$/.test(text), 'is no time of cron'),
  /** The rest of a line behind `#`. */
  comment: commentText,
  json: jsonValue,
  python: pythonLiteral,
  yaml: yamlValue,
  actions: actionsValue,
  /** One word for a shell. Inside a YAML block it may not hold a line break. */
  shell: (value: unknown): string => {
    if (/[\r\n\u0085\u2028\u2029]/.test(scalarText(value))) throw new NotEncodable('a word with a line break')
    return shellQuoted(value)
  },
  markdown: markdownText,
} as const

function checked(text: string, holds: (text: string) => boolean, problem: string): string {
  if (holds(text)) return text
  throw new NotEncodable(`${JSON.stringify(text)} ${problem}`)
}

/** Raw output is one call of one helper and nothing else. */
function uncheckedRaw(template: string): string | undefined {
  for (const [tag, inside = ''] of template.matchAll(/<%[-_]?\s*~([\s\S]*?)[-_]?%>/g)) {
    const helper = /^\s*it\.(\w+)\([^()]*(?:\([^()]*\)[^()]*)*\)\s*$/.exec(inside)?.[1]
    if (helper === undefined || !Object.hasOwn(HELPERS, helper)) return tag
  }
  return undefined
}

async function filesUnder(folder: string, prefix = ''): Promise<string[]> {
  const found: string[] = []
  const entries: Dirent[] = await readdir(join(folder, ...prefix.split('/')), { withFileTypes: true })
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (/^(?:__pycache__|\..*_cache|.*\.pyc)$/.test(entry.name)) continue
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`
    if (entry.isDirectory()) found.push(...(await filesUnder(folder, path)))
    else if (entry.isFile()) found.push(path)
  }
  return found
}

/** @returns the target path of a template's path */
export const targetOf = (source: string): string =>
  source
    .replace(/\.eta$/, '')
    .split('/')
    .map((part) => part.replace(/^dot-/, '.'))
    .join('/')

async function existing(kind: string): Promise<string> {
  const folder = templateFolder(kind)
  if (folder === undefined) throw incomplete(`templates/${kind}`)
  return folder
}

const incomplete = (what: string) =>
  failed({
    code: 'TEMPLATES_MISSING',
    message: `This installation of mlops is incomplete: ${what} is not there.`,
    hint: 'Install it again: npm install -g mlops',
  })

const broken = (path: string, why: string) =>
  failed({
    code: 'TEMPLATE_BROKEN',
    message: `The template of ${path} cannot be rendered: ${why.trim()}`,
    hint: 'This is a mistake of mlops; please report it with the line above',
    details: { path },
  })
