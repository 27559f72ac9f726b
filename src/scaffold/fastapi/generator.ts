/** `mlops scaffold fastapi`: from a version to the files of a service. */
import { failed } from '../../core/errors.ts'
import type { Generator } from '../generators.ts'

export const generator: Generator = {
  kind: 'fastapi',
  folder: 'service',
  generate: () =>
    Promise.reject(failed({ code: 'NOT_BUILT', message: 'The generator of services is not built yet.', hint: 'Wait' })),
}
