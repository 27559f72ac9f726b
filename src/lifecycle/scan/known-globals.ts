/**
 * The imports that are known to do no harm, whatever arguments and state a hostile pickle gives them. Single names, never
 * whole modules: numpy holds `numpy.testing._private.utils.runstring` too. The names are in `lists/`.
 */
import { JOBLIB, NUMPY, PANDAS, SCIPY } from './lists/arrays.ts'
import { BOOSTERS, PYTHON, TORCH } from './lists/libraries.ts'
import { SKLEARN, SKLEARN_BEFORE_0_22, SKLEARN_FUNCTIONS } from './lists/sklearn.ts'
import { type Global, Tuple, type Value } from './values.ts'

const LISTS = [PYTHON, NUMPY, SCIPY, PANDAS, JOBLIB, SKLEARN, SKLEARN_FUNCTIONS, SKLEARN_BEFORE_0_22, TORCH, BOOSTERS]

/** Attributes of joblib's array wrapper; any other would change what it does. */
export const WRAPPER_FIELDS: ReadonlySet<string> = new Set([
  'subclass',
  'shape',
  'order',
  'dtype',
  'allow_mmap',
  'numpy_array_alignment_bytes',
])

let namesByModule: Map<string, Set<string>> | undefined
let vocabulary: Set<string> | undefined

function known(): Map<string, Set<string>> {
  if (namesByModule !== undefined) return namesByModule
  namesByModule = new Map()
  for (const list of LISTS) {
    for (const [module, names] of Object.entries(list)) {
      const set = namesByModule.get(module) ?? new Set()
      for (const name of names.split(' ')) set.add(name)
      namesByModule.set(module, set)
    }
  }
  return namesByModule
}

export const isKnownGlobal = (module: string, name: string): boolean => known().get(module)?.has(name) === true

/** Every known import, as `module name`. */
export const knownGlobals = (): string[] =>
  [...known()].flatMap(([module, names]) => [...names].map((name) => `${module} ${name}`))

/** Strings that decide something: parts of known names, fields of an array wrapper, codes of dtypes, names of codecs. */
export function isVocabulary(text: string): boolean {
  if (vocabulary === undefined) {
    vocabulary = new Set([...WRAPPER_FIELDS, ...CODECS])
    for (const [module, names] of known()) for (const word of [module, ...names]) vocabulary.add(word)
  }
  return vocabulary.has(text) || (text.length <= 8 && /^[<>|=]?(?:[biufcmMSUVO]\d{0,4})?$/.test(text))
}

export const isWrapperClass = (value: Value): boolean =>
  typeof value === 'object' &&
  value !== null &&
  'module' in value &&
  value.is('joblib.numpy_pickle', 'NumpyArrayWrapper')

const CODECS = ['latin1', 'latin-1', 'iso-8859-1', 'utf-8', 'utf8', 'ascii']

/** @returns what is wrong with calling a known import with these arguments */
export function argumentProblem({ module, name }: Global, args: Value): string | undefined {
  if (module !== '_codecs' || name !== 'encode') return undefined
  const [, codec] = args instanceof Tuple ? args.items : []
  const harmless =
    args instanceof Tuple && (codec === undefined || (typeof codec === 'string' && CODECS.includes(codec)))
  return harmless ? undefined : '_codecs.encode with another codec'
}
