/** The rules of docs/architecture.md, read off the sources: who may import whom, and what a file may not do. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** The table of docs/architecture.md. A room may always import from itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  net: ['core'],
  data: ['core'],
  store: ['core'],
  project: ['core', 'store'],
  tracking: ['core', 'store', 'project'],
  drift: ['core', 'data', 'store', 'project'],
  predictions: ['core', 'data', 'store', 'project'],
  notify: ['core', 'net', 'store', 'project'],
  evaluation: ['core', 'data', 'store', 'project'],
  monitor: ['core', 'data', 'store', 'project', 'drift', 'predictions', 'notify'],
  lifecycle: [
    'core',
    'data',
    'store',
    'project',
    'tracking',
    'drift',
    'predictions',
    'notify',
    'monitor',
    'evaluation',
  ],
  transfer: ['core', 'store', 'project', 'lifecycle'],
  retrain: [
    'core',
    'net',
    'data',
    'store',
    'project',
    'tracking',
    'drift',
    'predictions',
    'notify',
    'monitor',
    'evaluation',
    'lifecycle',
  ],
  doctor: [
    'core',
    'net',
    'data',
    'store',
    'project',
    'tracking',
    'drift',
    'predictions',
    'notify',
    'monitor',
    'evaluation',
    'lifecycle',
    'retrain',
  ],
  scaffold: ['core', 'data', 'store', 'project', 'tracking', 'drift', 'predictions', 'lifecycle'],
  rollout: [
    'core',
    'data',
    'store',
    'project',
    'tracking',
    'drift',
    'predictions',
    'notify',
    'monitor',
    'evaluation',
    'lifecycle',
  ],
  ui: ['core'],
  commands: [
    'core',
    'data',
    'store',
    'project',
    'tracking',
    'drift',
    'predictions',
    'notify',
    'monitor',
    'evaluation',
    'lifecycle',
    'transfer',
    'retrain',
    'doctor',
    'scaffold',
    'rollout',
    'ui',
  ],
}
/** The way to the project and the store that every command gets; dynamic, or types alone. */
const EXCEPTIONS: Readonly<Record<string, readonly string[]>> = { 'ui/session.ts': ['project', 'store'] }
const DOMAIN = Object.keys(MAY_IMPORT).filter((room) => room !== 'ui' && room !== 'commands')
const NOT_IN_A_DOMAIN = [/^@oclif\//, /^oclif$/, /^chalk$/, /^@inquirer\//, /^inquirer$/]
/** Loaded inside the function that needs them. */
const HEAVY = ['execa', 'simple-git', 'tar', '@duckdb/node-api', '@inquirer/prompts', 'nodemailer', 'pg', 'yaml']
const COMMAND_LINES = 80
const FILE_LINES = 350

interface Import {
  readonly from: string
  readonly typeOnly: boolean
  readonly dynamic: boolean
}

interface Source {
  /** Relative to src/, with `/`. */
  readonly file: string
  readonly text: string
  readonly tree: ts.SourceFile
  readonly imports: readonly Import[]
}

const SOURCES: readonly Source[] = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => readSource(file.split(sep).join('/')))

describe('The house', () => {
  it('lets imports point along the arrows of docs/architecture.md only', () => {
    assertNone(SOURCES.flatMap(wrongArrows))
  })

  it('keeps oclif, chalk and inquirer out of the domain folders', () => {
    assertNone(
      domainSources().flatMap(({ file, imports }) =>
        imports
          .filter(({ from }) => NOT_IN_A_DOMAIN.some((pattern) => pattern.test(from)))
          .map(({ from }) => `src/${file}: a domain folder must not import ${from}`),
      ),
    )
  })

  it('lets only src/ui/style.ts use chalk', () => {
    assertNone(
      SOURCES.filter(({ file }) => file !== 'ui/style.ts').flatMap(({ file, imports }) =>
        imports.filter(({ from }) => from === 'chalk').map(() => `src/${file}: only src/ui/style.ts may import chalk`),
      ),
    )
  })

  it('lets domain folders see the world through Context alone', () => {
    assertNone(domainSources().flatMap(looksAtTheWorld))
  })

  it('imports heavy packages inside the functions that need them', () => {
    assertNone(
      SOURCES.flatMap(({ file, imports }) =>
        imports
          .filter(({ from, typeOnly, dynamic }) => HEAVY.includes(from) && !typeOnly && !dynamic)
          .map(({ from }) => `src/${file}: ${from} is heavy; import it with await import() where it is used`),
      ),
    )
  })

  it('opens every file with a comment that says what belongs in it', () => {
    assertNone(
      SOURCES.filter(({ text }) => !/^(?:#!.*\n)?\s*(?:\/\*\*|\/\/)/.test(text)).map(
        ({ file }) => `src/${file}: must open with a comment that says what belongs in the file`,
      ),
    )
  })

  it('keeps files small', () => {
    assertNone(
      SOURCES.flatMap(({ file, text }) => {
        const limit = file.startsWith('commands/') ? COMMAND_LINES : FILE_LINES
        const lines = text.trimEnd().split('\n').length
        return lines <= limit ? [] : [`src/${file}: ${lines} lines, at most ${limit}; move logic into a use case`]
      }),
    )
  })

  it('gives every command a summary, an example and a result type', () => {
    assertNone(SOURCES.filter(({ file }) => file.startsWith('commands/')).flatMap(incompleteCommand))
  })

  it('has a rule for every folder of src/', () => {
    const rooms = new Set(SOURCES.map(({ file }) => roomOf(file)))
    assertNone([...rooms].filter((room) => !(room in MAY_IMPORT)).map((room) => `src/${room}: not in the table`))
  })

  it('notices an arrow that points the wrong way', () => {
    const planted = parse(
      'core/planted.ts',
      "import { x } from '../store/open.ts'\nimport type { y } from '../ui/ui.ts'",
    )
    assert.equal(wrongArrows(planted).length, 2)
    const view = parse('ui/views/planted.ts', "import type { y } from '../../drift/types.ts'")
    assert.deepEqual(wrongArrows(view), [])
    const valueInView = parse('ui/views/planted.ts', "import { y } from '../../drift/types.ts'")
    assert.equal(wrongArrows(valueInView).length, 1)
  })

  it('notices a look at the clock, the environment or the terminal', () => {
    const lines = [
      'const a = Date.now()',
      'const b = new Date()',
      'console.log(1)',
      'f(process.env.X)',
      'process.exit(1)',
    ]
    for (const line of lines) assert.equal(looksAtTheWorld(parse('drift/planted.ts', line)).length, 1, line)
    for (const line of ['new Date(5)', 'process.platform', 'const now = ctx.now()']) {
      assert.deepEqual(looksAtTheWorld(parse('drift/planted.ts', line)), [], line)
    }
  })
})

function wrongArrows(source: Source): string[] {
  const room = roomOf(source.file)
  const allowed = [...(MAY_IMPORT[room] ?? []), ...(EXCEPTIONS[source.file] ?? [])]
  const isView = ['ui/views/', 'ui/reports/'].some((folder) => source.file.startsWith(folder))
  return source.imports.flatMap(({ from, typeOnly }) => {
    if (!from.startsWith('.')) return []
    const to = normalize(join(dirname(source.file), from))
      .split(sep)
      .join('/')
    const target = roomOf(to)
    if (to.startsWith('..')) return [`src/${source.file}: imports ${from}, which is outside of src/`]
    if (target === room || allowed.includes(target)) return []
    if (isView && typeOnly && DOMAIN.includes(target)) return []
    const hint = isView && DOMAIN.includes(target) ? ' (a view may import types alone)' : ''
    return [`src/${source.file}: ${room}/ must not import ${from} from ${target}/${hint}`]
  })
}

const WORLD = new Set(['cwd', 'argv', 'env', 'exit', 'stdout', 'stderr', 'stdin', 'chdir'])

function looksAtTheWorld({ file, tree }: Source): string[] {
  const found: string[] = []
  const complain = (node: ts.Node, what: string): void => {
    const { line } = tree.getLineAndCharacterOfPosition(node.getStart(tree))
    found.push(`src/${file}:${line + 1}: ${what} is not for a domain folder; take it from Context`)
  }
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
      const name = node.name.text
      if (node.expression.text === 'process' && WORLD.has(name)) complain(node, `process.${name}`)
      if (node.expression.text === 'Date' && name === 'now') complain(node, 'Date.now()')
      if (node.expression.text === 'console') complain(node, `console.${name}`)
    }
    const isDate = ts.isNewExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'Date'
    if (isDate && (node.arguments ?? []).length === 0) complain(node, 'new Date()')
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return found
}

function incompleteCommand({ file, text }: Source): string[] {
  const missing = [
    [/static override summary =/, 'a summary'],
    [/static override examples =/, 'examples'],
    [
      /execute\(\): Promise<Outcome<(?!unknown)/,
      'execute(): Promise<Outcome<Result>>, from which its JSON schema is made',
    ],
    [/export default class \w+ extends MlopsCommand/, 'a default class that extends MlopsCommand'],
  ] as const
  const hidden = /static override hidden = true/.test(text)
  return missing
    .filter(([pattern, what]) => !pattern.test(text) && !(hidden && what === 'examples'))
    .map(([, what]) => `src/${file}: a command needs ${what}`)
}

function roomOf(file: string): string {
  return file.split('/')[0] ?? ''
}

const domainSources = (): Source[] => SOURCES.filter(({ file }) => DOMAIN.includes(roomOf(file)))

function readSource(file: string): Source {
  return parse(file, readFileSync(join(ROOT, 'src', file), 'utf8'))
}

function parse(file: string, text: string): Source {
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const imports: Import[] = []
  const visit = (node: ts.Node): void => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier !== undefined) {
      const typeOnly = ts.isImportDeclaration(node)
        ? node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
        : node.isTypeOnly
      imports.push({ from: textOf(node.moduleSpecifier), typeOnly, dynamic: false })
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [target] = node.arguments
      if (target !== undefined) imports.push({ from: textOf(target), typeOnly: false, dynamic: true })
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      imports.push({ from: textOf(node.argument.literal), typeOnly: true, dynamic: false })
    }
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return { file, text, tree, imports }
}

function textOf(node: ts.Node): string {
  return ts.isStringLiteralLike(node) ? node.text : ''
}

function assertNone(problems: readonly string[]): void {
  assert.equal(problems.length, 0, `\n${problems.join('\n')}`)
}
