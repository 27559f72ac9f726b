/** `mlops complete -- WORDS…`: the candidates for the word at the cursor; called by the scripts of `completion`. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Store } from '../store/store.ts'
import { MlopsCommand, type Outcome } from '../ui/command.ts'
import { type Candidate, complete, type Lookup, type Manifest } from '../ui/complete.ts'

export type Result = { readonly candidates: readonly Candidate[] }

/** Newest runs offered: a list that nobody reads to its end. */
const RUNS = 20

export default class Complete extends MlopsCommand {
  static override hidden = true
  static override summary = 'Print what can stand at the cursor, one "value<TAB>description" per line.'
  static override takesCommand = true

  async execute(): Promise<Outcome<Result>> {
    await this.parse(Complete)
    const manifest = JSON.parse(await readFile(join(this.config.root, 'oclif.manifest.json'), 'utf8')) as Manifest
    const candidates = await complete(manifest, this.rawAfterDashes ?? [''], this.lookup())
    const lines = candidates.map(({ value, about }) => (about === undefined ? value : `${value}\t${about}`))
    return { data: { candidates }, render: () => lines.join('\n') }
  }

  /** Reads the store if there is one; whatever goes wrong is no candidate, never an error between two keys. */
  private lookup(): Lookup {
    const read = async <T>(get: (store: Store) => Promise<readonly T[]>): Promise<readonly T[]> => {
      try {
        return await get(await this.session.openStore({ ask: 'never' }))
      } catch {
        return []
      }
    }
    return {
      models: () => read((store) => store.models.list()),
      stages: () => read(async () => (await this.session.loadProject()).config.stages),
      versions: (model) => read(async (store) => (await store.models.state(model)).versions.map((v) => v.version)),
      runs: () => read(async (store) => (await store.runs.list()).slice(0, RUNS)),
      runNames: async () => {
        const { namesOfRuns } = await import('../tracking/records/names-of-runs.ts')
        const [names] = await read(async (store) => [await namesOfRuns(store, RUNS)])
        return names ?? { fields: [], metrics: [], tags: [] }
      },
    }
  }
}
