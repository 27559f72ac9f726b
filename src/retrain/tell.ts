/**
 * Telling the channels of a policy's `notify_on_fail` that a retraining failed or was refused, and, once one goes
 * through, that it is over. Never stops or fails the retraining itself.
 */
import { versionName } from '../core/names.ts'
import { fingerprintOf } from '../notify/fingerprint.ts'
import { sendDue } from '../notify/send.ts'
import type { Alert, AlertRules, Delivery } from '../notify/types.ts'
import type { Job } from './job.ts'
import type { RetrainResult } from './result.ts'

/** Every failure is news: the cool-down of the policy decides already how often a retraining is tried. */
const RULES: AlertRules = { k: 1, n: 1, coolDown: 0 }

export interface Ended {
  readonly failed: boolean
  readonly version: number | null
  readonly run: string | null
  /** One or more lines. */
  readonly message: string
}

/** @returns a line per channel that was to be told; a channel that was not is warned about */
export async function tellEnd(job: Job, ended: Ended): Promise<RetrainResult['notifications']> {
  const { ctx, project, store, plan } = job
  const channels = plan.notifyOnFail
  if (channels.length === 0) return []
  const alert = alertOf(job, ended)
  const check = { id: job.claim.begin.attempt, time: alert.time, window: null, trouble: ended.failed }
  let deliveries: readonly Delivery[]
  try {
    deliveries = (await sendDue(ctx, project, store, { alert, check, channels, rules: RULES, history: [] })).deliveries
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

function alertOf({ ctx, plan, claim }: Job, { failed, version, run, message }: Ended): Alert {
  const { model, stage, champion } = plan
  const name = version === null ? model : versionName(model, version)
  const [summary = '', ...rest] = message.split('\n')
  return {
    model,
    stage,
    version: version ?? 0,
    kind: 'retrain',
    state: failed ? 'firing' : 'recovered',
    fingerprint: fingerprintOf(model, stage, 'retrain'),
    title: failed
      ? `${name}: ${version === null ? 'retraining failed' : 'retraining was refused'}`
      : `${name}: retraining went through`,
    summary,
    findings: rest.map((line) => line.trim()).filter((line) => line !== ''),
    since: claim.begin.time,
    time: ctx.now().toISOString(),
    evidence: [
      { label: 'why', value: plan.why },
      ...(run === null ? [] : [{ label: 'run', value: run }]),
      ...(champion === null ? [] : [{ label: 'production', value: versionName(model, champion.version) }]),
    ],
    next: version === null && run !== null ? `mlops run show ${run}` : `mlops status ${model}`,
    ...(ctx.actor.url === undefined ? {} : { url: ctx.actor.url }),
  }
}
