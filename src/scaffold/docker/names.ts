/** Names in the world of images: what may be written where, and how a model is called there. Pure. */
import { usage } from '../../core/errors.ts'
import type { StandingService } from './service.ts'

/** The name of a repository of images: `Churn_Model.v2` -> `churn-model-v2`. */
export const imageName = (model: string): string =>
  model
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '') || 'model'

const REFERENCE =
  /^[a-zA-Z0-9][a-zA-Z0-9.-]*(?::\d{1,5})?(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/

/** @throws usage `BASE_IMAGE_INVALID`, `BASE_IMAGE_MISSING` */
export function baseImageOf(given: string | undefined, { python, model }: StandingService): string {
  if (given !== undefined) {
    if (REFERENCE.test(given)) return given
    throw usage({
      code: 'BASE_IMAGE_INVALID',
      message: `--base-image ${JSON.stringify(given)} is no reference to an image.`,
      hint: 'Write for example --base-image python:3.11-slim@sha256:… (a Debian image with python, pip and venv)',
    })
  }
  if (python !== undefined) return `python:${python}-slim`
  throw usage({
    code: 'BASE_IMAGE_MISSING',
    message: `Nobody recorded the Python that ${model} was trained with, so the base image must be chosen.`,
    hint: `Choose it: mlops scaffold docker ${model} --base-image python:3.12-slim`,
  })
}

const KEY = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/
/** Written by the Dockerfile itself. */
const TAKEN = /^(?:mlops\.|org\.opencontainers\.image\.(?:title|version|revision)$)/

/** `key=value` -> pairs. A value may be any text. @throws usage `LABEL_INVALID` */
export function labelsOf(given: readonly string[]): readonly (readonly [string, string])[] {
  const pairs = given.map((text): readonly [string, string] => {
    const at = text.indexOf('=')
    const key = at < 0 ? text : text.slice(0, at)
    if (at < 0 || !KEY.test(key))
      throw wrongLabel(text, 'is no KEY=VALUE with a key of small letters, digits, . _ and -')
    if (TAKEN.test(key)) throw wrongLabel(text, 'would replace a label that says what is in the image')
    return [key, text.slice(at + 1)]
  })
  return [...new Map(pairs)]
}

const wrongLabel = (text: string, why: string) =>
  usage({
    code: 'LABEL_INVALID',
    message: `--label ${JSON.stringify(text)} ${why}.`,
    hint: 'Write for example --label org.opencontainers.image.vendor="Acme Inc."',
  })
