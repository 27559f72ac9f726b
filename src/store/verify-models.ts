/** Verifying the logs: the root log, and every model's events against the chain, the fold and the objects they need. */

import { canonicalJson } from '../core/canonical-json.ts'
import { type Digest, sha256 } from '../core/digest.ts'
import { nameProblem } from '../core/names.ts'
import { isModelEvent, type ModelEvent, type Stages } from './events.ts'
import { nextStages } from './fold.ts'
import { modelFolder, modelLog, numbered, ROOT_LOG } from './layout.ts'
import type { Manifest } from './manifest.ts'
import { referencedByEvent, referencedByManifest } from './references.ts'
import { rolloutProblem } from './rollouts.ts'
import { type VerifiedLink, verifyChain } from './verify-chains.ts'
import type { Findings } from './verify-findings.ts'

/** A run that an event pinned. */
export interface PinnedRun {
  readonly version: string
  readonly run: Digest
  readonly end: Digest | undefined
}

export async function verifyModels(findings: Findings, genesis: Digest | undefined): Promise<Map<string, PinnedRun>> {
  const root = await verifyChain(findings, ROOT_LOG, genesis, () => ['the list of models'])
  const pinned = new Map<string, PinnedRun>()
  const seen = new Map<string, VerifiedLink[]>()
  for (const { name, kind } of await findings.backend.list('models')) {
    if (kind !== 'folder' || nameProblem(name) !== undefined) {
      findings.warn(`models/${name}`, 'it is not the folder of a model')
      continue
    }
    const links = await verifyChain(findings, modelLog(name), genesis, (seq) => [
      `history of ${name} from event ${seq}`,
    ])
    if (links.length > 0) findings.counts.models += 1
    findings.counts.events += links.length
    seen.set(name, links)
    await verifyEvents(findings, name, links, pinned)
  }
  verifyRootLog(findings, root, seen)
  return pinned
}

/** Every model with events is announced; every announced head is still there. */
function verifyRootLog(findings: Findings, root: readonly VerifiedLink[], models: Map<string, VerifiedLink[]>): void {
  const announced = new Set<unknown>()
  for (const { file, record } of root) {
    if (record === undefined) continue
    const model = String(record.model)
    const links = models.get(model) ?? []
    if (record.type === 'model') {
      announced.add(model)
      if (links.length === 0) findings.warn(file, `it announces the model ${model}, which has no events`)
    } else if (record.type === 'head') {
      const seq = Number(record.head)
      const link = links[seq - 1]
      const event = `${modelLog(model)}/${numbered(seq)}`
      if (link === undefined) {
        findings.damage(event, 'missing', `${file} remembers event ${seq} of ${model}`, [
          `history of ${model} from event ${links.length + 1}`,
        ])
      } else if (link.record !== undefined && link.digest !== record.sha256) {
        findings.damage(event, 'inconsistent', `its bytes are not those that ${file} remembers`, [
          `history of ${model} from event ${seq}`,
        ])
      }
    }
  }
  const whole = root.every(({ record }) => record !== undefined)
  for (const [model, links] of models) {
    if (links.length === 0 || announced.has(model) || !whole) continue
    findings.damage(
      `${ROOT_LOG}/${numbered(root.length + 1)}`,
      'missing',
      `nothing in the root log announces ${model}`,
      [model],
    )
  }
}

async function verifyEvents(
  findings: Findings,
  model: string,
  links: readonly VerifiedLink[],
  pinned: Map<string, PinnedRun>,
): Promise<void> {
  const events = links.map(({ record, file }) => {
    if (record === undefined || isModelEvent(record, model)) return record
    findings.damage(file, 'misplaced', `it is no event of ${model}`, [model])
    return undefined
  })
  const stages = events.at(-1)?.stages ?? {}
  const manifests = new Map<number, Digest>()
  let complete = true
  for (const [index, event] of events.entries()) {
    const file = `${modelLog(model)}/${numbered(index + 1)}`
    if (event === undefined) {
      complete = false
      continue
    }
    if (event.type === 'register') {
      const { version, manifest, run, imported } = event.body
      if (complete && version !== manifests.size + 1) {
        findings.damage(file, 'inconsistent', `it registers version ${version} after version ${manifests.size}`, [
          model,
        ])
      }
      manifests.set(version, manifest)
      // The folder of an imported version's run is in the store it came from.
      if (run !== undefined && imported === undefined) {
        pinned.set(run.id, { version: `${model}@${version}`, run: run.run.sha256, end: run.end?.sha256 })
      }
    }
    verifyStages(findings, file, events, index, manifests)
    await wantObjects(findings, model, event, stages)
  }
}

/** The map an event carries must be what the fold makes of the one before; skipped where that one is lost. */
function verifyStages(
  findings: Findings,
  file: string,
  events: readonly (ModelEvent | undefined)[],
  index: number,
  manifests: Map<number, Digest>,
): void {
  const event = events[index]
  const before: Stages | undefined = index === 0 ? {} : events[index - 1]?.stages
  if (event === undefined || before === undefined) return
  const problem = rolloutProblem(before, event)
  if (problem !== undefined) findings.damage(file, 'inconsistent', problem, [`stages of ${event.model}`])
  try {
    const expected = nextStages(
      before,
      event.seq,
      event,
      (stage, seq) => {
        const entry = events[seq - 1]?.stages[stage]
        return entry?.seq === seq ? entry : undefined
      },
      (version) => manifests.get(version),
    )
    if (canonicalJson(expected) === canonicalJson(event.stages)) return
  } catch {
    // The event it builds on is itself damaged and reported.
    if (events.slice(0, index).includes(undefined)) return
  }
  findings.damage(file, 'inconsistent', 'its map of stages is not what the events up to it give', [
    `stages of ${event.model}`,
  ])
}

async function wantObjects(findings: Findings, model: string, event: ModelEvent, stages: Stages): Promise<void> {
  const who = affected(model, event, stages)
  for (const { sha256: digest, what } of referencedByEvent(event)) findings.want(digest, `${who}: ${what}`)
  if (event.type !== 'register') return
  const bytes = await findings.object(event.body.manifest)
  if (bytes === undefined || sha256(bytes) !== event.body.manifest) return
  const manifest = JSON.parse(bytes.toString('utf8')) as Manifest
  for (const { sha256: digest, what } of referencedByManifest(manifest)) findings.want(digest, `${who}: ${what}`)
  for (const file of manifest.files) findings.want(file.sha256, `${who}: file ${file.path}`, file.size)
}

/** `churn-model@3 (production)`, or the model for an event that is about no version. */
function affected(model: string, event: ModelEvent, stages: Stages): string {
  if (event.type === 'baseline') return `${model} (baseline)`
  const { version } = event.body
  const held = Object.entries(stages).filter(([, entry]) => entry.version === version)
  const where = held.map(([stage]) => stage).join(', ')
  return where === '' ? `${model}@${version}` : `${model}@${version} (${where})`
}

/** Folders of a model that this format knows. */
const MODEL_FOLDERS = ['log', 'checks', 'alerts', 'jobs', 'serving', 'cache'] as const

export async function warnUnknownInModels(findings: Findings): Promise<void> {
  for (const { name, kind } of await findings.backend.list('models')) {
    if (kind !== 'folder' || nameProblem(name) !== undefined) continue
    for (const inner of await findings.backend.list(modelFolder(name))) {
      if (inner.kind === 'folder' && MODEL_FOLDERS.some((known) => known === inner.name)) continue
      findings.warn(`${modelFolder(name)}/${inner.name}`, 'it is not part of a model')
    }
  }
}
