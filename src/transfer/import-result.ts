/** What an import answers, and what it says of the differences between the archive and the version here. Pure. */
import { canonicalJson } from '../core/canonical-json.ts'
import type { Actor } from '../core/context.ts'
import type { Digest } from '../core/digest.ts'
import { versionName } from '../core/names.ts'
import { shellWord } from '../core/shell.ts'
import { worstVerdict } from '../lifecycle/register/bundle.ts'
import { stageAfter } from '../lifecycle/status/next-step.ts'
import type { Project } from '../project/config.ts'
import { nextMove } from '../project/next-move.ts'
import type { Manifest, ScanResult } from '../store/manifest.ts'
import type { Contents } from './check-archive.ts'
import type { Archive } from './read-archive.ts'

export interface ImportResult {
  readonly outcome: 'imported' | 'already there' | 'checked'
  readonly model: string
  /** The version here; null after a dry run of what is not here yet. */
  readonly version: number | null
  /** Digest of the manifest here. */
  readonly manifest: Digest | null
  /** As the archive says. */
  readonly origin: {
    readonly store: string
    readonly model: string
    readonly version: number
    readonly manifest: Digest
    readonly registered: { readonly time: string; readonly by: Actor }
  }
  readonly archive: { readonly file: string; readonly sha256: Digest; readonly size: number }
  readonly files: readonly {
    readonly path: string
    readonly sha256: Digest
    readonly size: number
    readonly scan: ScanResult | null
  }[]
  /** The worst verdict of the scan made here; null without files and before it was made. */
  readonly scan: ScanResult['verdict'] | null
  /** What is not as it was in the archive, one sentence each. */
  readonly changes: readonly string[]
  readonly run: string | null
  readonly next: string
}

/** A checked archive, and the model that it is to be a version of. */
export interface Subject {
  readonly archive: Archive
  readonly contents: Contents
  readonly model: string
}

export const originOf = ({ store, event }: Contents): ImportResult['origin'] => ({
  store,
  model: event.model,
  version: event.body.version,
  manifest: event.body.manifest,
  registered: { time: event.time, by: event.actor },
})

export interface Ending {
  readonly outcome: ImportResult['outcome']
  readonly version: number | null
  /** The stages that the version is in. */
  readonly held: readonly string[]
  readonly here?: Manifest
  readonly digest?: Digest
}

export function resultOf(
  project: Project,
  { archive, contents, model }: Subject,
  { outcome, version, held, here, digest }: Ending,
): ImportResult {
  const { file, sha256, size } = archive
  const files =
    here?.files ??
    contents.manifest.files.map(({ path, sha256: of, size: bytes }) => ({ path, sha256: of, size: bytes, scan: null }))
  const next =
    version === null
      ? `mlops model import ${shellWord(file)}${model === contents.manifest.model ? '' : ` --as ${model}`}`
      : nextStep(project, model, versionName(model, version), held, here)
  return {
    outcome,
    model,
    version,
    manifest: digest ?? null,
    origin: originOf(contents),
    archive: { file, sha256, size },
    files,
    scan: here === undefined ? null : worstVerdict(here.files),
    changes: here === undefined ? [] : changesBetween(contents.manifest, here),
    run: contents.event.body.run?.id ?? null,
    next,
  }
}

function nextStep(
  project: Project,
  model: string,
  name: string,
  held: readonly string[],
  here: Manifest | undefined,
): string {
  const stage = stageAfter(project.config.stages, held)
  return stage === null || here?.files.length === 0 ? `mlops model show ${name}` : nextMove(project, model, name, stage)
}

/** What is not as the archive has it, in words. */
function changesBetween(there: Manifest, here: Manifest): string[] {
  const changes: string[] = []
  if (there.model !== here.model) changes.push(`it was a version of ${there.model}; here it is one of ${here.model}`)
  for (const [n, { path, scan }] of here.files.entries()) {
    const said = there.files[n]?.scan
    if (said === undefined || canonicalJson(said) === canonicalJson(scan)) continue
    const found = scan.findings.length === 0 ? '' : ` (${scan.findings.slice(0, 3).join(', ')})`
    changes.push(`${path}: the archive said ${said.verdict}, the scan made here says ${scan.verdict}${found}`)
  }
  if (there.evaluate !== here.evaluate) {
    changes.push(
      `its evaluation command is not kept, for it would be run here: ${there.evaluate}. If you trust it, write it to mlops.yaml (evaluate:)`,
    )
  }
  return changes
}
