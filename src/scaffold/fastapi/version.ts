/** Everything of one version that a service is made from, read from the store. What follows from it is decided elsewhere. */
import type { Digest } from '../../core/digest.ts'
import { usage } from '../../core/errors.ts'
import { type ModelRef, versionName } from '../../core/names.ts'
import { type RecordedExample, readExamples } from '../../drift/examples.ts'
import { type Profile, parseProfile } from '../../drift/profile.ts'
import { loadVersion, type VersionDetail } from '../../lifecycle/versions/version.ts'
import type { ScanResult } from '../../store/manifest.ts'
import { resolveVersion } from '../../store/resolve.ts'
import type { Store } from '../../store/store.ts'
import { MARKS, type ModelFile } from './flavour.ts'

export interface ServedVersion {
  readonly detail: VersionDetail
  readonly files: readonly ModelFile[]
  readonly profile: Profile | undefined
  readonly examples: readonly RecordedExample[]
  /** `name==version` of the training run, sorted; undefined where none was recorded. */
  readonly lock: readonly string[] | undefined
  readonly lockDigest: Digest | undefined
}

/** @throws notFound for a version that is not there; failed `OBJECT_DAMAGED` for bytes that are not what was registered */
export async function readVersion(store: Store, ref: ModelRef): Promise<ServedVersion> {
  const state = await store.models.state(ref.model)
  const detail = await loadVersion(store, state, resolveVersion(state, ref, 'production'))
  const files: ModelFile[] = []
  for (const { path, scan, sha256 } of detail.files) {
    files.push(await lookInto(path, scan, store.objects.chunks(sha256)))
  }
  const { baseline, examples, python } = detail
  const name = versionName(detail.model, detail.version)
  return {
    detail,
    files,
    profile:
      baseline === null
        ? undefined
        : parseProfile(await store.objects.read(baseline.profile), `the baseline of ${name}`),
    examples: await examplesOf(store, name, examples),
    lock: python?.lock === undefined ? undefined : linesOf(await store.objects.read(python.lock.sha256)),
    lockDigest: python?.lock?.sha256,
  }
}

async function examplesOf(store: Store, name: string, pin: VersionDetail['examples']): Promise<RecordedExample[]> {
  if (pin === null) return []
  if (pin.format === 'csv' || pin.format === 'parquet') {
    throw usage({
      code: 'EXAMPLES_NO_LINES',
      message: `The examples of ${name} are ${pin.format === 'csv' ? 'a CSV file' : 'Parquet'}; a service needs JSON lines of {"features": {…}, "output": …}.`,
      hint: 'Record them in the script: run.log_examples(X, y_pred)',
    })
  }
  return await readExamples(await store.objects.read(pin.sha256))
}

const linesOf = (bytes: Buffer): string[] =>
  bytes
    .toString('utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')

const HEAD = 64 * 1024
const LONGEST_MARK = 64
/** Files that are searched to their end: what is in a pickle or an archive is not told by its first bytes. */
const SEARCHED = /\.(?:joblib|pkl|pickle|pt2?|pth|ts|torchscript)$/i

/**
 * The head of a file, and for some the marks in all of it. Nothing that is read here is trusted with more than a name.
 * @param chunks each valid until the next
 */
export async function lookInto(path: string, scan: ScanResult, chunks: AsyncIterable<Uint8Array>): Promise<ModelFile> {
  let head = Buffer.alloc(0)
  let tail = Buffer.alloc(0)
  let isSearched = SEARCHED.test(path)
  const marks = new Set<string>()
  for await (const chunk of chunks) {
    if (head.length < HEAD) head = Buffer.concat([head, chunk.subarray(0, HEAD - head.length)])
    isSearched ||= head[0] === 0x80
    if (!isSearched && head.length === HEAD) break
    const window = Buffer.concat([tail, chunk])
    for (const mark of MARKS) if (window.includes(mark)) marks.add(mark)
    tail = Buffer.from(window.subarray(-LONGEST_MARK))
  }
  return { path, scan, head, marks }
}
