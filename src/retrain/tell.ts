/**
 * Telling people what became of a retraining: `notify_on_fail` that it failed or was refused, and, once one goes through,
 * that it is over; `notify_on_pass` that a candidate waits; at autonomy level 1, that one is due. Never stops or fails
 * the retraining itself. What came to the same attempt is told once, whoever goes on with it.
 */
import type { Context } from '../core/context.ts'
import { versionName } from '../core/names.ts'
import { promotionCommand } from '../core/next-command.ts'
import { isWaiting } from '../lifecycle/gate/gate.ts'
import { fingerprintOf } from '../notify/fingerprint.ts'
import { sendDue } from '../notify/send.ts'
import type { Alert, AlertRules, Delivery } from '../notify/types.ts'
import type { Project } from '../project/config.ts'
import type { GateResult } from '../store/events.ts'
import type { Store } from '../store/store.ts'
import type { Job } from './job.ts'
import type { RetrainPlan } from './plan.ts'
import type { RetrainResult } from './result.ts'

/** Every failure is news: the cool-down of the policy decides already how often a retraining is tried. */
const RULES: AlertRules = { k: 1, n: 1, coolDown: 0 }

type Told = RetrainResult['notifications']

export interface Ended {
  readonly outcome: 'failed' | 'refused' | 'promoted'
  readonly version: number | null
  readonly run: string | null
  /** One or more lines. */
  readonly message: string
  readonly gate?: GateResult | null
}

interface Sender {
  readonly ctx: Context
  readonly project: Project
  readonly store: Store
  readonly plan: RetrainPlan
}

/** @returns a line per channel that was to be told; a channel that was not is warned about */
export async function tellEnd(job: Job, ended: Ended): Promise<Told> {
  const { plan, claim } = job
  const { attempt, time: since } = claim.begin
  const isWell = ended.outcome === 'promoted'
  const failure = await send(job, plan.notifyOnFail, RULES, attempt, !isWell, { ...alertOf(job, ended), since })
  if (!isWell) return failure
  const passed = { ...alertOf(job, ended), kind: 'passed', state: 'firing', since } as const
  const fingerprint = fingerprintOf(plan.model, plan.stage, 'passed')
  return [...failure, ...(await send(job, plan.notifyOnPass, RULES, attempt, true, { ...passed, fingerprint }))]
}

/**
 * At level 1: that a retraining is due, or is not any more. Told again after the cool-down of the policy.
 * @param coolDown milliseconds
 */
export async function tellDue(sender: Sender, coolDown: number): Promise<Told> {
  const { ctx, plan } = sender
  const { model, champion, stage, why, decision, steps } = plan
  const time = ctx.now().toISOString()
  const isDue = decision === 'due'
  const alert: Alert = {
    model,
    stage: 'production',
    version: champion?.version ?? 0,
    kind: 'due',
    state: isDue ? 'firing' : 'recovered',
    fingerprint: fingerprintOf(model, stage, 'due'),
    title: isDue ? `${model}: retraining is due` : `${model}: no retraining is due`,
    summary: isDue ? `${why}. Nothing was trained: ${plan.policy} leaves that to a person.` : `${why}.`,
    findings: isDue ? steps.map(({ name, what }) => `would ${name}: ${what}`) : [],
    since: time,
    time,
    evidence: [],
    next: isDue ? `mlops retrain ${model} --reason TEXT` : `mlops status ${model}`,
    ...(ctx.actor.url === undefined ? {} : { url: ctx.actor.url }),
  }
  const channels = [...new Set([...plan.notifyOnFail, ...plan.notifyOnPass])]
  return send(sender, channels, { ...RULES, coolDown }, time, isDue, alert)
}

async function send(
  { ctx, project, store }: Pick<Sender, 'ctx' | 'project' | 'store'>,
  channels: readonly string[],
  rules: AlertRules,
  id: string,
  trouble: boolean,
  alert: Alert,
): Promise<Told> {
  if (channels.length === 0) return []
  const check = { id, time: alert.time, window: null, trouble }
  let deliveries: readonly Delivery[]
  try {
    deliveries = (await sendDue(ctx, project, store, { alert, check, channels, rules, history: [] })).deliveries
  } catch (error) {
    // The record could not be written; the store says why.
    const why = error instanceof Error ? error.message : String(error)
    ctx.warn(`${channels.join(', ')}: NOT told: ${why}`)
    return []
  }
  return deliveries.map(({ channel, delivered, error, print }) => {
    if (!delivered) ctx.warn(`${channel} was NOT told: ${error}.`)
    return { channel, sent: delivered, why: error ?? null, ...(print === undefined ? {} : { print }) }
  })
}

const TITLES = {
  failed: 'retraining failed',
  refused: 'retraining was refused',
  promoted: 'retraining went through',
} as const

function alertOf({ ctx, plan, claim, reached }: Job, { outcome, version, run, message, gate }: Ended): Alert {
  const { model, stage, champion, trigger } = plan
  const name = version === null ? model : versionName(model, version)
  const [summary = '', ...rest] = message.split('\n')
  const checks = gate?.checks ?? []
  return {
    model,
    stage,
    version: version ?? 0,
    kind: 'retrain',
    state: outcome === 'promoted' ? 'recovered' : 'firing',
    fingerprint: fingerprintOf(model, stage, 'retrain'),
    title: `${name}: ${TITLES[outcome]}`,
    summary,
    findings: [...rest.map((line) => line.trim()).filter((line) => line !== ''), ...findingsOf(checks, outcome)],
    since: claim.begin.time,
    time: ctx.now().toISOString(),
    evidence: [
      { label: 'why', value: plan.resume === null ? plan.why : (claim.begin.trigger?.summary ?? trigger.summary) },
      ...(run === null ? [] : [{ label: 'run', value: run }]),
      ...(reached.workflow === null ? [] : [{ label: 'workflow', value: reached.workflow }]),
      ...(champion === null ? [] : [{ label: 'production', value: versionName(model, champion.version) }]),
    ],
    next: nextOf(plan, outcome, version, run),
    ...(ctx.actor.url === undefined ? {} : { url: ctx.actor.url }),
  }
}

/** Of a refusal what failed, with its values; of a candidate that passed all of them. */
function findingsOf(checks: GateResult['checks'], outcome: Ended['outcome']): string[] {
  return checks
    .filter(({ verdict }) => outcome === 'promoted' || (verdict !== 'pass' && verdict !== 'waived'))
    .map(({ name, required, actual, verdict, note }) => {
      return `${name}: ${required}, is ${actual} (${isWaiting({ name, verdict }) ? 'waiting' : verdict})${note === undefined ? '' : `; ${note}`}`
    })
}

function nextOf(
  { model, approvals }: RetrainPlan,
  outcome: Ended['outcome'],
  version: number | null,
  run: string | null,
): string {
  if (version === null) return run === null ? `mlops status ${model}` : `mlops run show ${run}`
  const name = versionName(model, version)
  return outcome === 'promoted' ? promotionCommand(name, 'production', approvals) : `mlops model show ${name}`
}
