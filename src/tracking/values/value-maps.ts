/** Nested maps of values, as in metrics.json or params.yaml, flattened to dotted names: `train.auc`. Pure. */
import { usage } from '../../core/errors.ts'
import type { ParamValue } from '../../store/run-records.ts'

const MAX_DEPTH = 8
const MAX_KEY = 256

/** Numbers only; text, lists and booleans are no metrics. */
export function flattenMetrics(map: Readonly<Record<string, unknown>>): Record<string, number> {
  const out: Record<string, number> = {}
  walk(map, '', 0, (key, value) => {
    if (typeof value === 'number') out[key] = value
  })
  return out
}

/** Every scalar; a list becomes its JSON text, so that `layers: [64, 32]` is kept and compared as one value. */
export function flattenParams(map: Readonly<Record<string, unknown>>): Record<string, ParamValue> {
  const out: Record<string, ParamValue> = {}
  walk(map, '', 0, (key, value) => {
    if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) out[key] = value as ParamValue
    else if (Array.isArray(value)) out[key] = JSON.stringify(value).slice(0, 4096)
  })
  return out
}

/** @returns why `key` cannot name a metric or parameter, or undefined */
export function keyProblem(key: string): string | undefined {
  if (key === '') return 'it is empty'
  if (key.length > MAX_KEY) return `it has more than ${MAX_KEY} characters`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\u0000-\u001f\u007f]/.test(key)) return 'it has control characters'
  return key.isWellFormed() ? undefined : 'it is not well-formed Unicode'
}

function walk(
  map: Readonly<Record<string, unknown>>,
  prefix: string,
  depth: number,
  take: (key: string, value: unknown) => void,
): void {
  for (const [name, value] of Object.entries(map)) {
    const key = prefix === '' ? name : `${prefix}.${name}`
    if (keyProblem(key) !== undefined) continue
    if (typeof value !== 'object' || value === null || Array.isArray(value)) take(key, value)
    else if (depth < MAX_DEPTH) walk(value as Record<string, unknown>, key, depth + 1, take)
  }
}

/**
 * `depth=4`: what looks like a number, true, false or null is one; everything else is text.
 * @throws usage `PARAM_INVALID`
 */
function parseParamFlag(text: string): readonly [string, ParamValue] {
  const at = text.indexOf('=')
  const key = text.slice(0, Math.max(at, 0))
  const problem = at < 0 ? 'there is no "="' : keyProblem(key)
  if (problem === undefined) return [key, parseScalar(text.slice(at + 1).toWellFormed())]
  throw usage({
    code: 'PARAM_INVALID',
    message: `--param ${JSON.stringify(text)} is not KEY=VALUE: ${problem}.`,
    hint: 'Write for example --param depth=4',
  })
}

/** @throws usage `PARAM_INVALID` also for a name given twice with different values */
export function parseParamFlags(texts: readonly string[]): Record<string, ParamValue> {
  const params = new Map<string, ParamValue>()
  for (const text of texts) {
    const [key, value] = parseParamFlag(text)
    if (params.has(key) && params.get(key) !== value) {
      throw usage({
        code: 'PARAM_INVALID',
        message: `--param gives ${JSON.stringify(key)} twice, with different values.`,
        hint: 'Give each parameter once',
      })
    }
    params.set(key, value)
  }
  return Object.fromEntries(params)
}

function parseScalar(text: string): ParamValue {
  if (text === 'true' || text === 'false') return text === 'true'
  if (text === 'null') return null
  // Only what comes back as it was written: 007 and 1e400 stay text.
  if (/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(text) && Number.isFinite(Number(text))) {
    const number = Number(text)
    if (!Number.isInteger(number) || Number.isSafeInteger(number)) return number
  }
  return text
}
