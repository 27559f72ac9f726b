/**
 * Which records name a run: what people made of it, and what they would look it up for. Records are read as text, all of
 * them, so that a kind that this program does not know counts as well. Reads only.
 */
import type { Backend } from './backend.ts'
import { modelFolder, modelLog, numberOf, TRASHED_RUNS } from './layout.ts'
import { readableOf } from './readable.ts'
import { openSealed } from './sealed.ts'

const ULID = /[0-7][0-9A-HJKMNP-TV-Z]{25}/g

/**
 * By the records of models: versions, baselines, retrainings, alerts, checks, wishes that were granted.
 * @param ids of runs
 * @returns for each that is named, by whom, in words: `churn-model@3`, `jobs/retrain of churn-model`
 */
export async function namedByModels(backend: Backend, ids: ReadonlySet<string>): Promise<Map<string, string[]>> {
  const named = new Map<string, Set<string>>()
  for (const { name, kind } of await backend.list('models')) {
    if (kind !== 'folder') continue
    await look(backend, modelFolder(name), name, (id, words) => {
      if (ids.has(id)) named.set(id, (named.get(id) ?? new Set()).add(words))
    })
  }
  return new Map([...named].map(([id, words]) => [id, [...words]]))
}

async function look(
  backend: Backend,
  folder: string,
  model: string,
  found: (id: string, words: string) => void,
): Promise<void> {
  const files: string[] = []
  for (const { name, kind } of await backend.list(folder)) {
    const key = `${folder}/${name}`
    // Hints: nothing relies on them.
    if (kind === 'folder' && !/^models\/[^/]+\/(?:cache|serving)$/.test(key)) await look(backend, key, model, found)
    else if (kind === 'file' && name.endsWith('.json')) files.push(key)
    else if (kind === 'file' && name === 'bytes') files.push(key)
  }
  const all = await backend.getMany(files)
  for (const [at, key] of files.entries()) {
    const bytes = all[at]
    if (bytes === undefined) continue
    // In the scope of a granted wish the id is in lower case.
    for (const [id] of bytes.toString('latin1').toUpperCase().matchAll(ULID)) found(id, wordsFor(model, key, bytes))
  }
}

function wordsFor(model: string, key: string, bytes: Buffer): string {
  if (key.startsWith(`${modelLog(model)}/`)) {
    const event = openSealed(bytes) as { type?: unknown; body?: { version?: unknown } } | undefined
    if (event?.type === 'register') return `${model}@${String(event.body?.version)}`
    return `event ${numberOf(key.slice(-15)) ?? '?'} of ${model}`
  }
  const scope = key.slice(modelFolder(model).length + 1, key.lastIndexOf('/'))
  if (scope === 'jobs/retrain') return `a retraining of ${model}`
  if (scope.startsWith('jobs/intent-')) return `a wish of it that ${model} granted`
  return `${scope} of ${model}`
}

/**
 * By other runs, also those in the trash: who was started by it, who repeats it. That a run says by whom it was repeated
 * is no need of it: what came of that stands in the annotation.
 * @returns as `namedByModels`: `run 01J… (which it started)`, by the id of whoever names it
 */
export async function namedByRuns(
  backend: Backend,
  ids: ReadonlySet<string>,
): Promise<Map<string, { readonly by: string; readonly words: string }[]>> {
  const named = new Map<string, { by: string; words: string }[]>()
  const name = (id: unknown, by: string, words: string): void => {
    if (typeof id !== 'string' || !ids.has(id) || id === by) return
    named.set(id, [...(named.get(id) ?? []), { by, words: `run ${by} (${words})` }])
  }
  for (const folder of ['runs', TRASHED_RUNS]) {
    const there = (await backend.list(folder)).filter(({ kind }) => kind === 'folder').map((entry) => entry.name)
    // One that cannot be read hides no other, and keeps nobody from deleting what is his.
    const records = await readableOf(
      backend,
      there.map((id) => `${folder}/${id}/run.json`),
    )
    for (const [at, by] of there.entries()) {
      const begun = records[at]
      const start = begun && openSealed(begun)
      name(start?.parent, by, 'which it started')
      name(start?.reproduces, by, 'which repeats it')
    }
  }
  return named
}
