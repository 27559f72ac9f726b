/**
 * The run that is to be repeated: of a reference to a run, the run's own folder; of `MODEL@V`, the records that the
 * register event pinned, which outlive a deleted run. A folder that is not as it was registered is not believed: whoever
 * may write the store could otherwise have any command run in the name of a version. Reads only.
 */
import { join } from 'node:path'
import type { Context } from '../../core/context.ts'
import { sha256File } from '../../core/digest.ts'
import { failed, type MlopsError, notFound } from '../../core/errors.ts'
import { parseModelRef, versionName } from '../../core/names.ts'
import type { RunPin } from '../../store/events.ts'
import { importedFrom } from '../../store/fold.ts'
import { resolveVersion } from '../../store/resolve.ts'
import type { RunEnd, RunStart } from '../../store/run-records.ts'
import { openSealed } from '../../store/sealed.ts'
import type { Store } from '../../store/store.ts'
import type { RunFacts } from '../compare/facts.ts'
import { factsOf, readEnvironment, readFacts } from '../compare/read-facts.ts'
import { resolveRun } from '../records/resolve-run.ts'
import type { Original } from './types.ts'

/** @throws notFound for a run or version that is not there; failed `RUN_STILL_RUNNING` */
export async function readOriginal(ctx: Context, store: Store, reference: string): Promise<Original> {
  // No id of a run holds an "@", and no word such as @last begins with a name.
  if (reference.indexOf('@') > 0) return await originalOfVersion(ctx, store, reference)
  return await originalOfRun(ctx, store, await resolveRun(ctx, store, reference), null)
}

async function originalOfRun(ctx: Context, store: Store, id: string, version: Original['version']): Promise<Original> {
  const [facts, { start }] = await Promise.all([readFacts(ctx, store, id), store.runs.read(id)])
  if (facts.status === 'running') {
    throw failed({
      code: 'RUN_STILL_RUNNING',
      message: `Run ${id} has not ended yet, so there is nothing to compare with.`,
      hint: `Wait for its end: mlops run show ${id} --follow`,
    })
  }
  return { start, facts, version, inStore: true, changed: null }
}

async function originalOfVersion(ctx: Context, store: Store, reference: string): Promise<Original> {
  const ref = parseModelRef(reference)
  const state = await store.models.state(ref.model)
  const found = resolveVersion(state, ref, 'newest')
  const name = versionName(ref.model, found.version)
  const manifest = await store.models.manifest(found.manifest)
  const version = { name, manifest }
  if (found.run === undefined) throw noRun(name, importedFrom(found) !== undefined)
  const folder = join(store.root, 'runs', found.run.id)
  const begun = await digestOf(join(folder, 'run.json'))
  if (begun === undefined) return await originalOfPins(store, found.run, version, null)
  const changed = begun === found.run.run.sha256 ? await changedFile(store, folder, found.run) : 'run.json'
  if (changed !== undefined) return await originalOfPins(store, found.run, version, changed)
  return await originalOfRun(ctx, store, found.run.id, version)
}

/** The first file that is not what the register event pins: end.json itself, or what end.json pins in turn. */
async function changedFile(store: Store, folder: string, { end }: RunPin): Promise<string | undefined> {
  if (end === undefined) return undefined
  if ((await digestOf(join(folder, 'end.json'))) !== end.sha256) return 'end.json'
  const record = openSealed(await store.objects.read(end.sha256)) as unknown as RunEnd | undefined
  for (const [path, { sha256 }] of Object.entries(record?.files ?? {})) {
    const isRead = /^(?:run\.json$|metrics|params|evidence)/.test(path)
    if (isRead && (await digestOf(join(folder, path))) !== sha256) return path
  }
  return undefined
}

const digestOf = async (path: string): Promise<string | undefined> =>
  await sha256File(path).then(
    ({ sha256 }) => sha256,
    () => undefined,
  )

/** The objects are hashed again as they are read, so they are the records that were registered. */
async function originalOfPins(
  store: Store,
  pins: RunPin,
  version: Original['version'],
  changed: string | null,
): Promise<Original> {
  const begun = openSealed(await store.objects.read(pins.run.sha256)) as unknown as RunStart
  const end =
    pins.end === undefined
      ? undefined
      : (openSealed(await store.objects.read(pins.end.sha256)) as unknown as RunEnd | undefined)
  const model = begun.model ?? end?.model
  const start: RunStart = { ...begun, ...end?.late, ...(model === undefined ? {} : { model }) }
  return { start, facts: await factsOfRecords(store, start, end), version, inStore: false, changed }
}

async function factsOfRecords(store: Store, start: RunStart, end: RunEnd | undefined): Promise<RunFacts> {
  const values = end ?? { params: start.params, metrics: {}, tags: start.tags, artifacts: [] }
  return { ...factsOf(start, values, end), ...(await readEnvironment(store, start.python ?? null)) }
}

function noRun(name: string, isImported: boolean): MlopsError {
  return notFound({
    code: 'VERSION_HAS_NO_RUN',
    message: isImported
      ? `${name} was imported: the run that made it belongs to another store, and nothing of it can be repeated here.`
      : `${name} was registered from files, without a run: nobody recorded how they were made.`,
    hint: isImported
      ? `See where it comes from: mlops model show ${name}`
      : `Have the next one recorded: mlops track -- COMMAND, then mlops register MODEL --run @last`,
  })
}
