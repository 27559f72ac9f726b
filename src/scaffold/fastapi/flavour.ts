/**
 * What kind of model a version is, from its files' names, their first bytes and the scan that was made when it was
 * registered. Nothing is loaded. Pure; reading the bytes is version.ts.
 */
import { usage } from '../../core/errors.ts'
import type { ScanResult } from '../../store/manifest.ts'
import type { Flavour } from './facts.ts'

export interface ModelFile {
  readonly path: string
  readonly scan: ScanResult
  /** The first bytes, at most 64 KiB. */
  readonly head: Buffer
  /** Words of `MARKS` that occur anywhere in it: looked for in pickles and archives alone. */
  readonly marks: ReadonlySet<string>
}

/** What tells libraries and formats apart inside of a pickle or an archive. */
export const MARKS = [
  'sklearn.',
  'xgboost.sklearn',
  'xgboost.core',
  'lightgbm.sklearn',
  'lightgbm.basic',
  'catboost',
  'joblib.numpy_pickle',
  '/constants.pkl',
  '/code/__torch__',
  'serialized_exported_program.json',
  '/models/model.json',
] as const

export interface Recognised {
  readonly path: string
  readonly flavour: Flavour
  /** Modules that reading the file imports: `sklearn.pipeline`, `features.transformers`. */
  readonly modules: readonly string[]
}

/** What a file that looks like a model is, or why it cannot be served as it is. */
type Verdict = { readonly flavour: Flavour } | { readonly problem: string } | undefined

/**
 * @param artifact which file is meant, where a person said
 * @throws usage `MODEL_FILE_UNKNOWN` (none, several, or one that no service can load)
 */
export function recognise(
  version: string,
  files: readonly ModelFile[],
  wanted: { readonly artifact: string | undefined; readonly flavour: Flavour | undefined },
): Recognised {
  const { artifact, flavour } = wanted
  const meant = artifact === undefined ? files : files.filter(({ path }) => path === artifact)
  if (artifact !== undefined && meant.length === 0) {
    throw unknown(`${version} has no file ${artifact}.`, `It has ${files.map(({ path }) => path).join(', ')}`)
  }
  const judged = meant.map((file) => ({ file, verdict: verdictOf(file) }))
  if (flavour !== undefined) {
    const chosen = judged.length === 1 ? judged : judged.filter(({ verdict }) => isModel(verdict, flavour))
    return one(
      version,
      chosen.map(({ file }) => ({ file, flavour })),
      files,
    )
  }
  const models = judged.flatMap(({ file, verdict }) =>
    verdict !== undefined && 'flavour' in verdict ? [{ file, flavour: verdict.flavour }] : [],
  )
  const problem = judged.flatMap(({ file, verdict }) =>
    verdict !== undefined && 'problem' in verdict ? [`${file.path} ${verdict.problem}`] : [],
  )[0]
  if (models.length === 0 && problem !== undefined) {
    throw unknown(
      `${version} cannot be served: ${problem}.`,
      'Where that is wrong, say what it is: --artifact PATH --flavour NAME',
    )
  }
  return one(version, models, files)
}

const isModel = (verdict: Verdict, flavour: Flavour): boolean =>
  verdict !== undefined && 'flavour' in verdict && verdict.flavour === flavour

function one(
  version: string,
  models: readonly { readonly file: ModelFile; readonly flavour: Flavour }[],
  files: readonly ModelFile[],
): Recognised {
  const [only, second] = models
  const names = (listed: readonly { readonly path: string }[]): string => listed.map(({ path }) => path).join(', ')
  if (only !== undefined && second === undefined) {
    return { path: only.file.path, flavour: only.flavour, modules: modulesOf(only.file.scan) }
  }
  if (only !== undefined) {
    throw unknown(
      `${version} has several files that could be the model: ${names(models.map(({ file }) => file))}.`,
      `Name the one that answers: --artifact ${only.file.path}`,
    )
  }
  throw files.length === 0
    ? unknown(`${version} has no files.`, 'Register a version with its model file: --artifact PATH')
    : unknown(
        `No file of ${version} is known to be a model: ${names(files)}.`,
        'Say what it is: --artifact PATH --flavour NAME (sklearn, xgboost, lightgbm, torch, onnx, callable)',
      )
}

const unknown = (message: string, hint: string) => usage({ code: 'MODEL_FILE_UNKNOWN', message, hint })

function verdictOf(file: ModelFile): Verdict {
  const { path, head } = file
  const extension = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? ''
  const begins = head.toString('latin1')
  if (extension === 'onnx') return { flavour: 'onnx' }
  if (extension === 'py') return { flavour: 'callable' }
  if (/^tree\r?\nversion=/.test(begins)) return { flavour: 'lightgbm' }
  if (extension === 'ubj' || (['json', 'model', 'xgb', 'bin'].includes(extension) && begins.includes('learner'))) {
    return ['{', 'b'].includes(begins.charAt(0)) ? { flavour: 'xgboost' } : undefined
  }
  if (begins.startsWith('binf'))
    return { problem: 'is in a form of XGBoost that its newer versions do not read; save it as .ubj' }
  if (['pt2', 'pt', 'pth', 'ts', 'torchscript'].includes(extension)) return torch(file, extension)
  if (['joblib', 'pkl', 'pickle'].includes(extension) || head[0] === 0x80) return pickled(file)
  if (extension === 'safetensors')
    return { problem: 'holds weights without the model they belong to; export it as TorchScript or ONNX' }
  if (['h5', 'keras', 'pb', 'tflite', 'cbm'].includes(extension)) {
    return {
      problem:
        'is of a library that is served only as ONNX, or by a Python file with predict(rows) of your own beside it',
    }
  }
  return undefined
}

function torch({ marks }: ModelFile, extension: string): Verdict {
  if (extension === 'pt2' || marks.has('serialized_exported_program.json') || marks.has('/models/model.json'))
    return { flavour: 'torch' }
  if (marks.has('/constants.pkl') || marks.has('/code/__torch__')) return { flavour: 'torch' }
  return {
    problem: 'holds weights or a pickled module, not a whole program: save torch.jit.script(model) or torch.export',
  }
}

/** The library that answers; a pipeline of scikit-learn whose last step is XGBoost's goes by that. */
function pickled({ scan, marks }: ModelFile): Verdict {
  const found = [...scan.findings, ...marks]
  const has = (prefix: string): boolean => found.some((each) => each.startsWith(prefix))
  if (has('catboost')) return { problem: 'is a CatBoost model; export it as ONNX' }
  if (has('torch.'))
    return { problem: 'is a pickled PyTorch module, which needs its source: save torch.jit.script(model)' }
  if (has('xgboost.sklearn')) return { flavour: 'xgboost' }
  if (has('lightgbm.sklearn')) return { flavour: 'lightgbm' }
  if (has('sklearn.')) return { flavour: 'sklearn' }
  if (has('xgboost.core')) return { problem: 'is a pickled Booster; save it with booster.save_model("model.ubj")' }
  if (has('lightgbm.basic')) return { problem: 'is a pickled Booster; save it with booster.save_model("model.txt")' }
  return undefined
}

/** From the findings of the scan: dotted names alone; sentences are left out. */
const modulesOf = (scan: ScanResult): string[] => [
  ...new Set(
    scan.findings.flatMap((finding) => {
      const match = /^([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\.[A-Za-z_]\w*$/.exec(finding)
      return match?.[1] === undefined ? [] : [match[1]]
    }),
  ),
]
