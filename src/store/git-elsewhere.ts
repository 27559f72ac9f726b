/**
 * Objects that a shared store does not have here: files above 50 MB stay in the folder in which they were registered.
 * Who registered them, and when, stands in the log.
 */
import type { Digest } from '../core/digest.ts'
import { failed, type MlopsError } from '../core/errors.ts'
import { nameProblem, versionName } from '../core/names.ts'
import type { Backend } from './backend.ts'
import type { ModelEvent } from './events.ts'
import { MAX_CARRIED_BYTES } from './git-carried.ts'
import type { Sharing } from './git-sharing.ts'
import { modelLog, numbered, numberOf, objectKey } from './layout.ts'
import type { Manifest } from './manifest.ts'
import { openSealed } from './sealed.ts'

interface Registered {
  readonly version: string
  readonly file: string
  readonly size: number
  readonly event: ModelEvent
}

/** Why the object is not here, when it is a file that does not travel; undefined when it should be here. */
export async function elsewhere(local: Backend, sharing: Sharing, digest: Digest): Promise<MlopsError | undefined> {
  const found = await registrationOf(local, digest)
  if (found === undefined || found.size <= MAX_CARRIED_BYTES) return undefined
  const { version, file, size, event } = found
  const { actor, time } = event
  const where = actor.url === undefined ? actor.name : `${actor.name} (${actor.url})`
  return failed({
    code: 'VERSION_NOT_HERE',
    message: `${file} of ${version} is not here: files above ${MAX_CARRIED_BYTES >> 20} MB (it has ${Math.ceil(size / (1 << 20))} MB) do not travel in ${sharing.branch} of ${sharing.remote}. ${version} was registered by ${where} on ${time.slice(0, 10)}; the file is in the store there.`,
    hint: `Run the command there; or copy the file from there to the same place here: .mlops/${objectKey(digest)}`,
    details: { version, file, sha256: digest, size, registered: { by: actor.name, time } },
  })
}

/** The first version that has the object as one of its files, or as evidence. */
async function registrationOf(local: Backend, digest: Digest): Promise<Registered | undefined> {
  for (const { name, kind } of await local.list('models')) {
    if (kind !== 'folder' || nameProblem(name) !== undefined) continue
    const numbers = (await local.list(modelLog(name))).flatMap((entry) => numberOf(entry.name) ?? [])
    for (const bytes of await local.getMany(numbers.map((number) => `${modelLog(name)}/${numbered(number)}`))) {
      const event = bytes && (openSealed(bytes) as unknown as ModelEvent | undefined)
      if (event?.type !== 'register') continue
      const found = partOf(await local.get(objectKey(event.body.manifest)), digest)
      if (found !== undefined) return { ...found, version: versionName(name, event.body.version), event }
    }
  }
  return undefined
}

function partOf(manifest: Buffer | undefined, digest: Digest): { file: string; size: number } | undefined {
  if (manifest?.includes(digest) !== true) return undefined
  try {
    const { files, testPredictions, examples } = JSON.parse(manifest.toString('utf8')) as Manifest
    const file = files.find(({ sha256 }) => sha256 === digest)
    if (file !== undefined) return { file: file.path, size: file.size }
    if (testPredictions?.sha256 === digest) return { file: 'the test predictions', size: testPredictions.size }
    return examples?.sha256 === digest ? { file: 'the examples', size: examples.size } : undefined
  } catch {
    return undefined
  }
}
