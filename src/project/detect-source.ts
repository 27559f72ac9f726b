/**
 * What a Python training script says plainly about its output and its target column. Text is searched, nothing is
 * run; a guess is made only where the script and the data agree.
 */
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs'

export interface SourceHints {
  readonly artifact?: string
  readonly target?: string
}

/** A script larger than this is generated or no script at all. */
const MAX_SCRIPT = 512 * 1024

/** `joblib.dump(model, "model.joblib")`, `model.save("m.keras")`, `open("model.pkl", "wb")`, `torch.save(m, "m.pt")` */
const WRITES = [
  /\b(?:joblib\.|torch\.|pickle\.)?(?:dump|save|save_model|save_file|write_model)\(\s*(?:[^"'\n]*?,\s*)?f?["']([^"'{}\n]+)["']/g,
  /\bopen\(\s*["']([^"'{}\n]+)["']\s*,\s*["']wb["']/g,
]
const MODEL_FILE = /\.(?:joblib|pkl|pickle|onnx|pt|pth|safetensors|cbm|ubj|json|txt|bin|keras|h5)$/i

/** `TARGET = "churned"`, `y = df["churned"]`, `.fit(X, train["churned"])`, `.drop(columns=["churned"])` */
const TARGETS = [
  /^\s*(?:target|label)(?:_col(?:umn)?|_name)?\s*=\s*["']([^"'\n]+)["']/gim,
  /\by\w*\s*=\s*\w+\[\s*["']([^"'\n]+)["']\s*\]/g,
  /\.fit\([^\n]*\w+\[\s*["']([^"'\n]+)["']\s*\]\s*\)/g,
]

export function readSource(script: string, dataFiles: readonly string[]): SourceHints {
  const source = readScript(script)
  if (source === undefined) return {}
  const written = unique(WRITES, source).filter(
    (name) => MODEL_FILE.test(name) && !name.startsWith('/') && !name.includes('..'),
  )
  const columns = new Set(dataFiles.flatMap(csvHeader))
  const targets = unique(TARGETS, source).filter((name) => columns.has(name))
  return {
    ...(written.length === 1 ? { artifact: written[0] } : {}),
    ...(targets.length === 1 ? { target: targets[0] } : {}),
  } as SourceHints
}

function unique(patterns: readonly RegExp[], source: string): string[] {
  return [...new Set(patterns.flatMap((pattern) => [...source.matchAll(pattern)].map((match) => match[1] ?? '')))]
}

function readScript(script: string): string | undefined {
  try {
    return statSync(script).size <= MAX_SCRIPT ? readFileSync(script, 'utf8') : undefined
  } catch {
    return undefined
  }
}

/** Column names of a CSV file as far as its first 64 KiB show them; simple quoting only, which is enough to confirm. None of another file. */
export function csvHeader(file: string): string[] {
  if (!/\.csv$/i.test(file)) return []
  let handle: number | undefined
  try {
    handle = openSync(file, 'r')
    const buffer = Buffer.alloc(65_536)
    const length = readSync(handle, buffer, 0, buffer.length, 0)
    const line =
      buffer
        .toString('utf8', 0, length)
        .replace(/^\ufeff/, '')
        .split(/\r?\n/, 1)[0] ?? ''
    return line.split(/[,;\t]/).map((name) => name.trim().replace(/^"|"$/g, ''))
  } catch {
    return []
  } finally {
    if (handle !== undefined) closeSync(handle)
  }
}
