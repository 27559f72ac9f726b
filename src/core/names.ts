/**
 * Names of models and stages, and the written form of a reference: `churn-model`, `churn-model@3`,
 * `churn-model@production`. Names become folder names, so what a file system could confuse is refused here.
 */
import { usage } from './errors.ts'

const NAME = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/
/** Names that Windows maps to devices, with or without an extension. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?$/

/** A version number or the name of a stage; `undefined` in a `ModelRef` when the user wrote the model alone. */
export type Selector = { readonly version: number } | { readonly stage: string }

export interface ModelRef {
  readonly model: string
  readonly selector: Selector | undefined
}

/** @returns why `name` is not allowed, or undefined when it is. */
export function nameProblem(name: string): string | undefined {
  if (name === '') return 'it is empty'
  if (name.length > 64) return `it has ${name.length} characters; at most 64 are allowed`
  if (name !== name.toLowerCase()) return 'it has upper-case letters, which some file systems cannot tell apart'
  if (name.includes('..')) return 'it contains ".."'
  if (!NAME.test(name)) {
    return 'only a-z, 0-9, ".", "_" and "-" are allowed, and it must begin and end with a letter or digit'
  }
  if (DEVICE.test(name)) return 'Windows reserves it for a device'
  return undefined
}

/**
 * @param kind what is being named, for the message: `model`, `stage`.
 * @throws usage `NAME_INVALID`
 */
export function assertName(kind: string, name: string): void {
  const problem = nameProblem(name)
  if (problem === undefined) return
  const suggestion = suggestName(name)
  throw usage({
    code: 'NAME_INVALID',
    message: `${JSON.stringify(name)} cannot be the name of a ${kind}: ${problem}.`,
    ...(suggestion === undefined ? {} : { hint: `Use for example ${suggestion}` }),
    details: { kind, name },
  })
}

/** Parses `MODEL`, `MODEL@3` or `MODEL@STAGE`. @throws usage `NAME_INVALID`, `REFERENCE_INVALID` */
export function parseModelRef(text: string): ModelRef {
  const at = text.indexOf('@')
  const model = at < 0 ? text : text.slice(0, at)
  assertName('model', model)
  if (at < 0) return { model, selector: undefined }
  const rest = text.slice(at + 1)
  if (/^\d+$/.test(rest)) {
    const version = Number(rest)
    if (Number.isSafeInteger(version) && version >= 1) return { model, selector: { version } }
  } else if (nameProblem(rest) === undefined) {
    return { model, selector: { stage: rest } }
  }
  throw usage({
    code: 'REFERENCE_INVALID',
    message: `${JSON.stringify(text)} names no version: after "@" comes a version number (1, 2, 3 …) or a stage.`,
    hint: `Write ${model}@1 or ${model}@production`,
  })
}

/** A version alone, as in `--to 3`; `@3` and `churn-model@3` say the same. @throws usage `VERSION_INVALID` */
export function parseVersion(text: string, model: string): number {
  const digits = text.startsWith(`${model}@`) ? text.slice(model.length + 1) : text.replace(/^@/, '')
  const version = /^\d{1,15}$/.test(digits) ? Number(digits) : 0
  if (version >= 1) return version
  throw usage({
    code: 'VERSION_INVALID',
    message: `${JSON.stringify(text)} is no version of ${model}: versions are numbered 1, 2, 3 …`,
    hint: `See them: mlops model history ${model}`,
  })
}

/** The one way a version is written: `churn-model@3`. */
export const versionName = (model: string, version: number): string => `${model}@${version}`

function suggestName(name: string): string | undefined {
  const candidate = name
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/\.{2,}/g, '.')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
    .slice(0, 64)
  return candidate !== '' && nameProblem(candidate) === undefined ? candidate : undefined
}
