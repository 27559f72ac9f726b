/**
 * The rows that a baseline was made of: a profile keeps counts alone, so they are looked for where the run that trained
 * the version found them, as long as the bytes are the same.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { MlopsError } from '../core/errors.ts'
import { type DataInput, namedData } from '../data/input.ts'
import type { Project } from '../project/config.ts'
import { importedFrom } from '../store/fold.ts'
import type { RunStart } from '../store/run-records.ts'
import type { Store } from '../store/store.ts'
import type { Subject } from './subject.ts'

/** @throws what `missing` makes of the reason, here or when the rows are opened */
export async function trainingRows(
  project: Project,
  store: Store,
  { version, manifest }: Pick<Subject, 'version' | 'manifest'>,
  missing: (why: string) => MlopsError,
): Promise<DataInput> {
  const wanted = manifest.baseline?.data.sha256
  const pin = importedFrom(version) === undefined ? version.run : undefined
  const run = pin === undefined ? undefined : await store.objects.readJson<RunStart>(pin.run.sha256)
  const declared = run?.data.find(({ sha256 }) => sha256 === wanted)
  const path = declared && join(project.root, run?.cwd ?? '.', declared.path)
  if (declared === undefined || path === undefined) throw missing('no run says where its rows are')
  if (!existsSync(path)) throw missing(`its rows were in ${declared.path}, which is not there any more`)
  const rows = namedData(path)
  return {
    name: declared.path,
    open: (options, use) =>
      rows.open(options, async (source) => {
        if ((await source.sha256) !== wanted) throw missing(`${declared.path} has changed since`)
        return use(source)
      }),
  }
}
