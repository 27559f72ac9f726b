/** Which packages a service needs beside those that a training run recorded. Pure: from names of modules to names of packages. */
import type { Flavour } from './facts.ts'

/**
 * What the templates import. The lower bounds are the first versions that have what they use. uvicorn takes httptools and
 * uvloop where they are installed: half as many requests again.
 */
export const SERVICE_PACKAGES: readonly string[] = [
  'fastapi>=0.115',
  'httptools>=0.6',
  'prometheus-client>=0.20',
  'pydantic>=2.7',
  'uvicorn>=0.30',
  ...(process.platform === 'win32' ? [] : ['uvloop>=0.19']),
]

/** What reads a model of each kind; a name in brackets only where the training run had it. */
const OF_FLAVOUR: Readonly<Record<Flavour, readonly string[]>> = {
  sklearn: ['scikit-learn', 'joblib', 'numpy', '[pandas]'],
  xgboost: ['xgboost', 'numpy', 'pandas', '[scikit-learn]', '[joblib]'],
  lightgbm: ['lightgbm', 'numpy', 'pandas', '[scikit-learn]', '[joblib]'],
  torch: ['torch', 'numpy'],
  onnx: ['onnxruntime', 'numpy'],
  callable: ['[numpy]', '[pandas]'],
}

/** Packages that are called otherwise than what is imported. */
const PACKAGE_OF: Readonly<Record<string, string>> = {
  category_encoders: 'category-encoders',
  imblearn: 'imbalanced-learn',
  PIL: 'pillow',
  sklearn: 'scikit-learn',
  skops: 'skops',
  yaml: 'pyyaml',
}

/** Modules that come with Python, or that the service has itself. */
const WITHOUT_PACKAGE =
  /^(?:__builtin__|__main__|_.*|builtins|collections|copyreg|datetime|decimal|functools|itertools|math|mlops|operator|random|re|types|uuid|app)$/

export interface Needs {
  /** Names or requirements, sorted, without what the lock says of them. */
  readonly roots: readonly string[]
  /** Top-level modules that the model file imports and no package of the lock is called like. */
  readonly unknown: readonly string[]
}

/** @param extra what a person asked for beside: names, or requirements such as `shap>=0.44` */
export function needsOf(
  flavour: Flavour,
  modules: readonly string[],
  lock: readonly string[] | undefined,
  extra: readonly string[],
): Needs {
  const locked = new Set(lock?.map(packageName))
  const variant = (name: string): string => (!locked.has(name) && locked.has(`${name}-cpu`) ? `${name}-cpu` : name)
  const base = OF_FLAVOUR[flavour].flatMap((name) => {
    const bare = name.replace(/[[\]]/g, '')
    return name === bare || locked.has(bare) || locked.has(`${bare}-cpu`) ? [variant(bare)] : []
  })
  const unknown: string[] = []
  const imported = [...new Set(modules.map((name) => name.split('.')[0] ?? ''))].flatMap((module) => {
    if (module === '__main__') unknown.push(module)
    if (WITHOUT_PACKAGE.test(module)) return []
    const name = variant(PACKAGE_OF[module] ?? normalised(module))
    if (locked.has(name)) return [name]
    if (lock !== undefined && !base.includes(name)) unknown.push(module)
    return []
  })
  const asked = new Set(extra.map(packageName))
  const named = [...new Set([...base, ...imported])].filter((name) => !asked.has(name))
  const service = SERVICE_PACKAGES.filter((each) => !asked.has(packageName(each)))
  return { roots: [...new Set([...named, ...service, ...extra])].sort(), unknown }
}

/** `Scikit_Learn==1.7.2` -> `scikit-learn` */
export const packageName = (line: string): string => normalised(/^[A-Za-z0-9._-]*/.exec(line.trim())?.[0] ?? '')

const normalised = (name: string): string => name.toLowerCase().replace(/[-_.]+/g, '-')

/** A name with bounds, and nothing that pip would read as an option, an address or a second line. */
export const isRequirement = (text: string): boolean =>
  /^[A-Za-z0-9][A-Za-z0-9._-]*(?:\[[A-Za-z0-9._,-]+\])?(?:(?:===?|[<>~!]=|[<>])[A-Za-z0-9.*+!_-]+(?:,(?:===?|[<>~!]=|[<>])[A-Za-z0-9.*+!_-]+)*)?$/.test(
    text,
  )
