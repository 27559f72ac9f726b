/** Which runs are compared: those that were named, by run or as the run behind a version; else the two newest that finished. */
import type { Context } from '../../core/context.ts'
import { notFound, usage } from '../../core/errors.ts'
import { parseModelRef, versionName } from '../../core/names.ts'
import { resolveVersion } from '../../store/resolve.ts'
import type { Store } from '../../store/store.ts'
import { resolveRun } from '../records/resolve-run.ts'

export interface NamedRun {
  readonly run: string
  /** `churn-model@3`, where it was named so. */
  readonly version: string | null
}

/** More columns than this nobody can read. */
const MOST = 8

/**
 * @param references ids, beginnings of ids, `@last~2`, `@best:auc`, `MODEL@3`, `MODEL@production`
 * @param model without references: only runs of this model; `@last` and `@best` look among its runs
 * @throws notFound `RUN_NOT_FOUND`, `TOO_FEW_RUNS`, `VERSION_WITHOUT_RUN`, and as `resolveRun` and `resolveVersion`;
 * usage `TWO_RUNS_NEEDED`, `TOO_MANY_RUNS`
 */
export async function whichRuns(
  ctx: Context,
  store: Store,
  references: readonly string[],
  model: string | undefined,
): Promise<NamedRun[]> {
  if (references.length === 0) return newestTwo(ctx, store, model)
  if (references.length === 1) {
    throw usage({
      code: 'TWO_RUNS_NEEDED',
      message: 'Two runs are needed, and one was named.',
      hint: `Write for example: mlops run compare ${/^@last$/i.test(references[0] ?? '') ? '@last~1' : references[0]} @last`,
    })
  }
  if (references.length > MOST) {
    throw usage({
      code: 'TOO_MANY_RUNS',
      message: `${references.length} runs were named; at most ${MOST} fit side by side.`,
      hint: 'For more, a table of one line each: mlops run list --limit 0',
    })
  }
  return Promise.all(references.map((reference) => namedRun(ctx, store, reference, model)))
}

/** @param model `@last` and `@best` look among its runs. @throws as `whichRuns` */
export async function namedRun(ctx: Context, store: Store, reference: string, model?: string): Promise<NamedRun> {
  if (!/^[^@]+@/.test(reference)) return { run: await resolveRun(ctx, store, reference, { model }), version: null }
  const ref = parseModelRef(reference)
  const { version, run } = resolveVersion(await store.models.state(ref.model), ref, 'production')
  const name = versionName(ref.model, version)
  if (run !== undefined) return { run: run.id, version: name }
  throw notFound({
    code: 'VERSION_WITHOUT_RUN',
    message: `${name} comes from no run: it was registered from files.`,
    hint: `Compare versions instead: mlops model diff ${ref.model}@1 ${name}`,
  })
}

/** The older one first, so that differences read forwards. Both of one model, or both of none. */
async function newestTwo(ctx: Context, store: Store, model: string | undefined): Promise<NamedRun[]> {
  let newer: { readonly id: string; readonly model: string | undefined } | undefined
  for (const id of await store.runs.list()) {
    const folder = await store.runs.read(id).catch((error: unknown) => {
      ctx.warn(error instanceof Error ? error.message : String(error))
    })
    if (folder?.end?.status !== 'finished') continue
    const of = folder.start.model
    if (model !== undefined && of !== model) continue
    if (newer === undefined) newer = { id, model: of }
    else if (of === newer.model) {
      return [
        { run: id, version: null },
        { run: newer.id, version: null },
      ]
    }
  }
  const of = model ?? newer?.model
  const whose = of === undefined ? '' : ` of ${of}`
  throw notFound({
    code: 'TOO_FEW_RUNS',
    message:
      newer === undefined
        ? `No run${whose} has finished yet, and a comparison needs two.`
        : `Only one run${whose} has finished, and a comparison needs two.`,
    hint:
      newer === undefined
        ? 'Make one: mlops track -- python train.py'
        : 'Name two runs: mlops run compare A B (see mlops run list)',
  })
}
