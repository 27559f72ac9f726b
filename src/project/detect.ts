/**
 * What `mlops init` finds in a folder: Python, git, scripts, data, an earlier project. Reads only, guesses only what a
 * file says plainly, and never runs anything of the project's. Deciding what to do with it is `init.ts`.
 */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import type { Context } from '../core/context.ts'
import { csvHeader, readSource, type SourceHints } from './detect-source.ts'
import { CONFIG_NAME, findGitTop, findWorktrees, kindOf, mapPath } from './find.ts'

export interface Facts {
  /** Absolute; it may not exist yet. */
  readonly root: string
  readonly exists: boolean
  readonly hasConfig: boolean
  /** Absolute path of the store to make or to use. */
  readonly store: string
  /** How `store:` is to be written in a new mlops.yaml. */
  readonly storeSetting: string
  readonly hasStore: boolean
  /** Top of the enclosing git repository; undefined outside of git. */
  readonly gitTop: string | undefined
  /** The same, or of a linked worktree the main one, where the store stands and `git add` would see it. */
  readonly storeTop: string | undefined
  /** Git ignores the store already. */
  readonly ignored: boolean
  /** How Python is called here: `python`, `python3`, `.venv/bin/python`, `uv run python`. */
  readonly python: string
  /** What tells that this is Python, for a person: `pyproject.toml`, `.venv`. */
  readonly pythonSigns: readonly string[]
  /** Relative, `/`-separated. */
  readonly trainScript: string | undefined
  readonly evaluateScript: string | undefined
  readonly artifact: string | undefined
  /** Nobody trained yet: the training script says where it will be. */
  readonly isArtifactToCome: boolean
  readonly target: string | undefined
  /** CSV, Parquet and JSONL files, relative. */
  readonly dataFiles: readonly string[]
  /** Of the data files together; undefined where a file's columns cannot be read by looking at it. */
  readonly columns: readonly string[] | undefined
}

const FOLDERS = ['', 'src', 'scripts', 'training', 'model', 'models', 'ml', 'pipeline']
const TRAIN = ['train.py', 'training.py', 'train_model.py', 'fit.py']
const EVALUATE = ['evaluate.py', 'eval.py', 'evaluation.py', 'evaluate_model.py']
const PYTHON_FILES = [
  'pyproject.toml',
  'requirements.txt',
  'uv.lock',
  'poetry.lock',
  'environment.yml',
  'Pipfile',
  'setup.py',
]
const DATA = /\.(?:csv|parquet|jsonl)$/i
const MODEL_FILE = /\.(?:joblib|pkl|pickle|onnx|pt|pth|safetensors|cbm|ubj|keras|h5)$/i

/**
 * @param root absolute
 * @param storeFlag absolute path, from `--store` or `MLOPS_STORE`
 */
export async function detectFacts(
  ctx: Pick<Context, 'env'>,
  root: string,
  storeFlag: string | undefined,
  configuredStore: string | undefined,
): Promise<Facts> {
  const exists = isFolder(root)
  const gitTop = findGitTop(nearestFolder(root))
  const setting = storeFlag === undefined ? '.mlops' : slashes(relative(root, storeFlag)) || '.'
  const storeSetting = setting.startsWith('../../') && storeFlag !== undefined ? storeFlag : setting
  const worktrees = findWorktrees(nearestFolder(root))
  // A linked worktree's ignored store would die with it: the store belongs into the main one.
  const usual = join(root, '.mlops')
  const store =
    storeFlag ?? configuredStore ?? (worktrees === undefined ? usual : mapPath(usual, worktrees.linked, worktrees.main))
  const storeTop = worktrees?.main ?? gitTop
  const scripts = exists ? findScripts(root) : { train: undefined, evaluate: undefined }
  const dataFiles = exists ? findData(root) : []
  const hints: SourceHints =
    scripts.train === undefined
      ? {}
      : readSource(
          join(root, scripts.train),
          dataFiles.map((file) => join(root, file)),
        )
  const around = gitTop ?? root
  return {
    root,
    exists,
    hasConfig: isFile(join(root, CONFIG_NAME)),
    store,
    storeSetting,
    hasStore: isFile(join(store, 'registry.json')),
    gitTop,
    storeTop,
    ignored: storeTop !== undefined && (await isIgnored(storeTop, store, ctx.env)),
    python: howPython(root, ctx.env),
    pythonSigns: exists ? pythonSigns(root, around) : [],
    trainScript: scripts.train,
    evaluateScript: scripts.evaluate,
    artifact: hints.artifact ?? (exists ? onlyModelFile(root) : undefined),
    isArtifactToCome: hints.artifact !== undefined && !existsSync(join(root, hints.artifact)),
    target: hints.target,
    dataFiles,
    columns: columnsOf(dataFiles.map((file) => join(root, file))),
  }
}

function findScripts(root: string): { train: string | undefined; evaluate: string | undefined } {
  const first = (names: readonly string[], like: RegExp): string | undefined => {
    for (const folder of FOLDERS) {
      const named = names.find((name) => isFile(join(root, folder, name)))
      if (named !== undefined) return slashes(join(folder, named))
    }
    for (const folder of FOLDERS) {
      // Only when it is the one: of `train_a.py` and `train_b.py` neither is evident.
      const alike = list(join(root, folder)).filter((name) => like.test(name))
      if (alike.length === 1) return slashes(join(folder, alike[0] ?? ''))
    }
    return undefined
  }
  return { train: first(TRAIN, /^train_.*\.py$|_train\.py$/), evaluate: first(EVALUATE, /^evaluate_.*\.py$/) }
}

function findData(root: string): string[] {
  const found: string[] = []
  for (const folder of ['data', '', 'data/raw', 'data/processed', 'datasets', 'input']) {
    for (const name of list(join(root, folder))) {
      if (DATA.test(name) && found.length < 20) found.push(slashes(join(folder, name)))
    }
  }
  return found
}

function columnsOf(dataFiles: readonly string[]): readonly string[] | undefined {
  if (dataFiles.length === 0) return undefined
  const headers = dataFiles.map(csvHeader)
  return headers.some((header) => header.length === 0)
    ? undefined
    : [...new Set(headers.flat())].filter((name) => name !== '')
}

function onlyModelFile(root: string): string | undefined {
  const files = ['', 'models', 'artifacts', 'model'].flatMap((folder) =>
    list(join(root, folder))
      .filter((name) => MODEL_FILE.test(name))
      .map((name) => slashes(join(folder, name))),
  )
  return files.length === 1 ? files[0] : undefined
}

function pythonSigns(root: string, around: string): string[] {
  const here = PYTHON_FILES.filter((name) => isFile(join(root, name)))
  const above = root === around ? [] : PYTHON_FILES.filter((name) => isFile(join(around, name)))
  return [...new Set([...venvs(root), ...here, ...above])]
}

const venvs = (root: string): string[] =>
  ['.venv', 'venv', 'env'].filter((name) => isFile(join(root, name, 'pyvenv.cfg')))

/**
 * How Python is called in this folder by anybody: an environment inside of it is named, also when it is active here,
 * because a CI job or cron has activated nothing.
 */
function howPython(root: string, env: Context['env']): string {
  if (isFile(join(root, 'uv.lock'))) return 'uv run python'
  if (isFile(join(root, 'poetry.lock'))) return 'poetry run python'
  const venv = venvs(root)[0]
  if (venv !== undefined) {
    const inside = ['bin/python', 'bin/python3', 'Scripts/python.exe'].find((name) => isFile(join(root, venv, name)))
    if (inside !== undefined) return `${venv}/${inside}`
  }
  const onPath = (name: string): boolean =>
    (env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && isFile(join(folder, name)))
  return !onPath('python') && onPath('python3') ? 'python3' : 'python'
}

/** Asks git; where there is none, looks for the line itself. */
async function isIgnored(top: string, store: string, env: Context['env']): Promise<boolean> {
  const path = slashes(relative(top, store))
  // Outside of the repository nobody can add it by mistake.
  if (path.startsWith('..')) return true
  try {
    const clean = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('GIT_')))
    await promisify(execFile)('git', ['check-ignore', '-q', '--', `${path}/`], { cwd: top, env: clean })
    return true
  } catch (error) {
    if ((error as { code?: unknown }).code === 1) return false
    const lines = readText(join(top, '.gitignore')).split(/\r?\n/)
    return lines.some((line) => line.trim().replace(/^\/|\/$/g, '') === path)
  }
}

function nearestFolder(path: string): string {
  let here = path
  while (!isFolder(here) && dirname(here) !== here) here = dirname(here)
  return here
}

const slashes = (path: string): string => path.replaceAll('\\', '/')
const isFile = (path: string): boolean => kindOf(path) === 'file'
const isFolder = (path: string): boolean => kindOf(path) === 'folder'

/** Names of the files in a folder, sorted; none when it cannot be listed. */
function list(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return entries.flatMap((entry) => (entry.isFile() ? [entry.name] : [])).sort()
  } catch {
    return []
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
