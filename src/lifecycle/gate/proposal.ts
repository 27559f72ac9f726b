/**
 * A promotion as a small file that a person reviews and merges: which version is to enter which stage, and the gate it was
 * proposed by. `gate` of the file is the digest of everything that verdict rests on, so a file in which somebody changed
 * the version, or a gate that reads differently by now, no longer hold. Moving the stage is `promote`'s business.
 */
import { readFile, stat } from 'node:fs/promises'
import { canonicalJson, type JsonInput } from '../../core/canonical-json.ts'
import type { Context } from '../../core/context.ts'
import { type Digest, isDigest, sha256 } from '../../core/digest.ts'
import { failed, isMlopsError, type MlopsError, notFound, refused, systemCode, usage } from '../../core/errors.ts'
import { type ModelRef, nameProblem, versionName } from '../../core/names.ts'
import type { Project } from '../../project/config.ts'
import type { Store } from '../../store/store.ts'
import type { PromotePlan } from '../promote/plan.ts'
import { checkGate, type GateReport, type Judged, judgedWithoutPeople } from './check.ts'
import { failingChecks } from './gate.ts'

/** What the file holds: these members and no others. */
export interface Proposal {
  readonly format: 1
  readonly model: string
  readonly stage: string
  readonly version: number
  /** The version's bytes. */
  readonly manifest: Digest
  /** What the verdict of the gate rests on (`gateDigest`). */
  readonly gate: Digest
}

export interface ProposalRequest {
  readonly ref: ModelRef
  readonly stage: string
  readonly test?: string
}

export interface Proposed {
  readonly proposal: Proposal
  readonly report: GateReport
}

export interface Confirmation {
  readonly proposal: Proposal
  readonly holds: boolean
  /** Why it does not, each one sentence. */
  readonly problems: readonly string[]
  readonly report: GateReport
}

/** A proposal is a few lines; anything longer is something else. */
const MAX_BYTES = 4096

/**
 * The digest of a verdict: of the version's bytes, the rules, the champion, what holds the stage and by which event, the
 * test set, and what each check required and said. By the event, because a proposal that was carried out and rolled back
 * would else hold again, and a job that is run once more would bring back what somebody took out. Figures are not part of it: they follow from these, and differ in the last digit between machines.
 */
export function gateDigest({ model, version, stage, from, fromSeq, gate }: Judged): Digest {
  const checks = gate.checks.map(
    ({ name, metric, required, verdict }): JsonInput => ({
      name,
      metric: metric ?? null,
      required,
      verdict,
    }),
  )
  const { manifest, policy, champion = null, test = null } = gate.bound
  return sha256(canonicalJson({ model, version, stage, from, fromSeq, manifest, policy, champion, test, checks }))
}

/** As it stands in the file, so that a review shows one member a line. */
export const proposalText = (proposal: Proposal): string => `${JSON.stringify(proposal, undefined, 2)}\n`

/**
 * What to propose; nothing is written.
 * @throws refused `GATE_REFUSED` where the gate lets nobody merge it anyway; what `checkGate` throws
 */
export async function propose(
  ctx: Context,
  project: Project,
  store: Store,
  { ref, stage, test }: ProposalRequest,
): Promise<Proposed> {
  const report = await checkGate(ctx, project, store, {
    ref,
    stage,
    withoutApproval: true,
    ...(test === undefined ? {} : { test }),
  })
  const { model, version, gate } = report
  const name = versionName(model, version)
  if (report.alreadyThere) throw alreadyThere(name, stage)
  if (report.verdict !== 'pass') throw gateRefuses(name, stage, report)
  const { manifest } = gate.bound
  return { proposal: { format: 1, model, stage, version, manifest, gate: gateDigest(report) }, report }
}

/**
 * Holds a file against the store as it is now.
 * @param file absolute
 * @throws notFound `PROPOSAL_NOT_FOUND`; usage `PROPOSAL_INVALID`; what `checkGate` throws
 */
export async function confirm(
  ctx: Context,
  project: Project,
  store: Store,
  file: string,
  test?: string,
): Promise<Confirmation> {
  const proposal = await readProposal(file)
  const { model, stage, version } = proposal
  const report = await checkGate(ctx, project, store, {
    ref: { model, selector: { version } },
    stage,
    withoutApproval: true,
    ...(test === undefined ? {} : { test }),
  })
  const problems = problemsOf(proposal, report)
  return { proposal, holds: problems.length === 0, problems, report }
}

/** Pure: why a proposal may not be carried out; empty when it may. */
export function problemsOf(proposal: Proposal, report: Judged): string[] {
  const name = versionName(report.model, report.version)
  const problems: string[] = []
  for (const member of ['model', 'version', 'stage'] as const) {
    if (proposal[member] !== report[member])
      problems.push(`The file proposes the ${member} ${proposal[member]}; this is about ${report[member]}.`)
  }
  if (report.gate.bound.manifest !== proposal.manifest)
    problems.push(
      `${name} has the digest ${report.gate.bound.manifest.slice(0, 12)}…, and the file says ${proposal.manifest.slice(0, 12)}….`,
    )
  // Carried out before: the job that is repeated finds what it wanted.
  if (report.alreadyThere) return problems
  if (report.verdict !== 'pass')
    problems.push(`The gate of ${report.stage} does not let ${name} in any more (${failingNames(report)}).`)
  if (gateDigest(report) !== proposal.gate)
    problems.push(
      `The gate reads differently than when it was proposed: the file was edited, or the rules, the champion, the test set or what is in ${report.stage} have changed.`,
    )
  return problems
}

/** @param file absolute. @throws notFound `PROPOSAL_NOT_FOUND`; usage `PROPOSAL_INVALID` */
export const readProposal = async (file: string): Promise<Proposal> => parseProposal(await contentOf(file), file)

const MEMBERS = ['format', 'gate', 'manifest', 'model', 'stage', 'version']

/** @throws usage `PROPOSAL_INVALID` */
export function parseProposal(text: string, file: string): Proposal {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw invalid(file, 'it is no JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(file, 'it is no JSON object')
  const names = Object.keys(value).sort()
  if (names.join() !== MEMBERS.join()) throw invalid(file, `its members must be ${MEMBERS.join(', ')}`)
  const { format, model, stage, version, manifest, gate } = value as Record<string, unknown>
  if (format !== 1) throw invalid(file, 'its format is not 1')
  if (typeof model !== 'string' || nameProblem(model) !== undefined) throw invalid(file, 'model is no name')
  if (typeof stage !== 'string' || nameProblem(stage) !== undefined) throw invalid(file, 'stage is no name')
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1)
    throw invalid(file, 'version is no number of a version')
  if (!isDigest(manifest) || !isDigest(gate)) throw invalid(file, 'manifest and gate must be SHA-256 digests')
  // What another reader would make of a name that stands there twice nobody knows.
  if (JSON.stringify(value) !== text.replace(/\s+/g, ''))
    throw invalid(file, 'it is not written as mlops gate propose writes it')
  return { format, model, stage, version, manifest, gate }
}

async function contentOf(file: string): Promise<string> {
  try {
    const { size } = await stat(file)
    if (size > MAX_BYTES) throw invalid(file, `it has ${size} bytes`)
    return await readFile(file, 'utf8')
  } catch (error) {
    if (isMlopsError(error)) throw error
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? ''))
      throw notFound({
        code: 'PROPOSAL_NOT_FOUND',
        message: `There is no proposal at ${file}.`,
        hint: 'Make one: mlops gate propose MODEL@VERSION --to STAGE --output FILE',
      })
    throw failed({
      code: 'PROPOSAL_UNREADABLE',
      message: `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      cause: error,
    })
  }
}

const invalid = (file: string, why: string): MlopsError =>
  usage({
    code: 'PROPOSAL_INVALID',
    message: `${file} is no proposal of a promotion: ${why}.`,
    hint: 'Make it again: mlops gate propose MODEL@VERSION --to STAGE --output FILE',
    details: { file, why },
  })

/** A promotion carries a proposal out, or nothing. @throws refused `PROPOSAL_DIFFERS` */
export function assertProposed(proposal: Proposal | undefined, plan: PromotePlan): void {
  const problems = proposal === undefined ? [] : problemsOf(proposal, judgedWithoutPeople(plan))
  if (problems.length === 0) return
  const name = versionName(plan.model, plan.version)
  throw refused({
    code: 'PROPOSAL_DIFFERS',
    message: `What was proposed is not what would be done; nothing was moved.`,
    hint: `Propose it anew: mlops gate propose ${name} --to ${plan.stage} --output FILE`,
    details: { model: plan.model, stage: plan.stage, version: plan.version, problems },
  })
}

const failingNames = ({ gate }: Pick<GateReport, 'gate'>): string =>
  failingChecks(gate)
    .map(({ name, verdict }) => `${name}: ${verdict}`)
    .join(', ')

const alreadyThere = (name: string, stage: string): MlopsError =>
  refused({
    code: 'ALREADY_THERE',
    message: `${name} is in ${stage} already; there is nothing to propose.`,
    hint: 'See what is where: mlops status',
  })

const gateRefuses = (name: string, stage: string, report: GateReport): MlopsError =>
  refused({
    code: 'GATE_REFUSED',
    message: `The gate of ${stage} does not let ${name} in (${failingNames(report)}), so it is not proposed.`,
    hint: `See each check: mlops gate check ${name} --to ${stage} --without-approval`,
    details: { gate: report.gate },
  })
