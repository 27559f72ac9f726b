/**
 * Telling people about a check: whom, what came before it, and handing it to `src/notify/`, which decides whether it is
 * due and records what was delivered. What an alert says is in `alert.ts`.
 */
import type { Context } from '../core/context.ts'
import { type MlopsError, usage } from '../core/errors.ts'
import type { CheckResult } from '../drift/types.ts'
import { assertChannels as assertNotifyChannels } from '../notify/channels.ts'
import { undelivered } from '../notify/deliver.ts'
import { alertRules } from '../notify/due.ts'
import { sendDue } from '../notify/send.ts'
import type { SeenCheck } from '../notify/types.ts'
import type { Project } from '../project/config.ts'
import { modelConfig } from '../project/load.ts'
import type { Store } from '../store/store.ts'
import { alertsOf, type CheckKind, silentAlertsOf, troubleOf } from './alert.ts'
import { channelsOf } from './channels.ts'
import { WINDOW_BEFORE } from './check.ts'
import { evidenceOf } from './evidence.ts'
import type { Subject } from './subject.ts'
import type { AlertReport, MonitoredCheck } from './types.ts'

/** Before any work. @throws usage `CHANNELS_MISSING`, `CHANNEL_INVALID` */
export async function assertChannels(project: Project, store: Pick<Store, 'root'>, model: string): Promise<void> {
  const channels = await channelsOf(project, store, model)
  if (channels.length === 0) throw channelsMissing(model)
  assertNotifyChannels(channels)
}

export const channelsMissing = (model: string): MlopsError =>
  usage({
    code: 'CHANNELS_MISSING',
    message: `--alert has nobody to tell: no channel is configured for ${model}.`,
    hint: `Name one in mlops.yaml: models: {${model}: {notify: ["slack:#ml-alerts"]}}; or in Python: mlops.monitor("${model}").on_drift(channel="slack:#ml-alerts")`,
    details: { model },
  })

/**
 * Sends what is due about a check: one message for each kind of trouble, or for its end. A channel that does not take
 * it keeps no other from being tried, and is warned of. What an earlier check could not deliver is tried again also
 * where this one is inconclusive: that trouble cannot be judged today is no reason to keep silent about yesterday's.
 * @throws failed `RECORD_DAMAGED`, `STORE_…`; conflict `ALERT_BUSY`
 */
export async function alertOn(
  ctx: Context,
  project: Project,
  store: Store,
  subject: Subject,
  check: MonitoredCheck,
): Promise<readonly AlertReport[]> {
  const { model } = check
  ctx.progress?.('Telling the channels')
  const channels = await channelsOf(project, store, model)
  const earlier = await earlierChecks(store, check)
  const rules = alertRules(modelConfig(project, model).drift)
  const facts = { stage: subject.stage, evidence: await evidenceOf(store, subject, check), ...urlOf(ctx) }
  const reports: AlertReport[] = []
  for (const alert of [...alertsOf(check, facts), ...silentAlertsOf(check, facts)]) {
    const kind = alert.kind as CheckKind
    const history = earlier.map((other) => seenOf(other, kind))
    const asked = { alert, check: seenOf(check, kind), channels, rules, history }
    const { decision, reason, alert: sent, deliveries } = await sendDue(ctx, project, store, asked)
    // Nothing was found and nothing is sent: there is nothing to tell of this kind.
    if (asked.check.trouble === null && sent === null) continue
    reports.push({
      kind,
      trouble: alert.state === 'firing',
      state: sent?.state ?? null,
      decision,
      reason,
      title: (sent ?? alert).title,
      deliveries,
    })
  }
  const problem = undelivered(reports.flatMap(({ deliveries }) => deliveries))
  if (problem !== undefined) ctx.warn(`${problem.message} ${problem.hint ?? ''}`)
  return reports
}

const urlOf = ({ actor: { url } }: Context): { readonly url?: string } => (url === undefined ? {} : { url })

type Earlier = Pick<MonitoredCheck, 'key' | 'time' | 'verdict' | 'window' | 'health' | 'quality' | 'reference'>

const seenOf = (check: Earlier, kind: CheckKind): SeenCheck => ({
  id: check.key,
  time: check.time,
  window: check.window === undefined ? null : seenPart(check.window, check.time),
  ...(check.window === undefined ? {} : { length: Date.parse(check.window.until) - Date.parse(check.window.since) }),
  ...(questionOf(check.reference.name) === WINDOW_BEFORE ? { against: 'previous' as const } : {}),
  trouble: troubleOf(check, kind),
})

/** Of a window that was still running, the part that the check could see: what came later is news. */
const seenPart = ({ since, until }: NonNullable<CheckResult['window']>, time: string) => ({
  since,
  until: time < until && time > since ? time : until,
})

/** Of the same version against the same reference: anything else answered another question. */
async function earlierChecks(store: Store, { model, key, version, reference }: MonitoredCheck): Promise<Earlier[]> {
  const checks = await store.checks.list(model)
  return checks.flatMap(({ key: id, record }) => {
    const check = record as unknown as Partial<CheckResult> | null
    if (id === key || check?.version !== version || check.verdict === undefined || check.time === undefined) return []
    // It stood in no series: somebody picked that batch to see whether they could go back.
    if (check.purpose === 'rollback') return []
    return questionOf(check.reference?.name) === questionOf(reference.name)
      ? [{ ...(check as CheckResult), key: id }]
      : []
  })
}

/** The window before is another one every day, and the same question. */
const questionOf = (reference: string | undefined): string =>
  reference?.startsWith(WINDOW_BEFORE) === true ? WINDOW_BEFORE : (reference ?? '')
