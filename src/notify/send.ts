/**
 * Sending what is due: the rules decide, a claim makes this process the only sender, the channels are tried, and what
 * became of it is recorded. Fired and delivered are two facts; what was fired and did not reach a channel is tried
 * again for that channel with the next check.
 */
import type { Context } from '../core/context.ts'
import { conflict, isMlopsError } from '../core/errors.ts'
import type { Project } from '../project/config.ts'
import type { Store } from '../store/store.ts'
import { type AlertLog, claimSending, isBeingSent, type Message, readAlerts, type Sending } from './alert-log.ts'
import { type NamedChannel, namedChannels } from './channels.ts'
import { cleanAlert } from './clean.ts'
import { type DeliverOptions, deliverTo } from './deliver.ts'
import { decideDue } from './due.ts'
import type { Alert, AlertRules, Delivery, SeenCheck, SeenWhat } from './types.ts'

export interface DueRequest {
  /** As this check would send it: `firing` where there is trouble, else `recovered`. Its `since` is overruled here. */
  readonly alert: Alert
  /** What this check looked at, and what it said. */
  readonly check: SeenCheck
  /** As they stand in mlops.yaml. */
  readonly channels: readonly string[]
  readonly rules: AlertRules
  /** Earlier checks of the same fingerprint, in any order. */
  readonly history: readonly SeenCheck[]
}

export interface AlertOutcome {
  /** `redeliver`: a message of an earlier check went to the channels that had missed it. */
  readonly decision: 'fire' | 'recover' | 'redeliver' | 'hold'
  readonly reason: string
  /** What was sent; null when nothing was. */
  readonly alert: Alert | null
  /** Empty when nothing was sent. */
  readonly deliveries: readonly Delivery[]
  /** Of the claim under `alerts/<fingerprint>`; null when nothing was sent, or the store could not take it. */
  readonly number: number | null
}

interface Plan {
  readonly decision: AlertOutcome['decision']
  readonly reason: string
  readonly alert: Alert
  readonly seen: SeenWhat
  readonly channels: readonly NamedChannel[]
  readonly again?: number
}

/** Lost races before giving up: each one means that another process has just sent something. */
const TRIES = 20

/**
 * Never throws for a channel that does not take the message: see `undelivered`.
 * @throws failed `RECORD_DAMAGED`, `STORE_…`; conflict `ALERT_BUSY`
 */
export async function sendDue(
  ctx: Context,
  project: Pick<Project, 'root'>,
  store: Pick<Store, 'claims'>,
  request: DueRequest,
  options: Omit<DeliverOptions, 'root'> = {},
): Promise<AlertOutcome> {
  const alert = cleanAlert(request.alert)
  for (let i = 0; i < TRIES; i++) {
    const log = await readAlerts(store, alert.model, alert.fingerprint)
    const last = log.messages.at(-1)
    if (last !== undefined && (await isBeingSent(ctx, store, alert.model, alert.fingerprint, last))) {
      return held('another process is sending it just now')
    }
    const plan = planOf({ ...request, alert }, log)
    if (plan.decision === 'hold') return held(plan.reason)
    const sending = await claimSending(ctx, store, log, {
      alert: plan.alert,
      seen: plan.seen,
      channels: plan.channels.map(({ label }) => label),
      ...(plan.again === undefined ? {} : { again: plan.again }),
    }).catch((error: unknown) => unrecorded(ctx, plan, error))
    if (sending === undefined) continue
    const { decision, reason } = plan
    try {
      const deliveries = await deliverTo(ctx, plan.alert, plan.channels, { ...options, root: project.root })
      await sending.end(deliveries)
      return { decision, reason, alert: plan.alert, deliveries, number: sending.number }
    } finally {
      sending.release()
    }
  }
  throw conflict({
    code: 'ALERT_BUSY',
    message: `Other processes kept sending alerts of ${alert.model}; this one was not sent.`,
    hint: `Try again: mlops drift ${alert.model} --alert`,
  })
}

/**
 * Trouble is told also where the store cannot take the claim, on a full disk for example: a message that may come twice
 * does less harm than one that never comes. Its end can wait for the store.
 */
function unrecorded(ctx: Context, plan: Plan, error: unknown): Sending {
  const isTold = plan.alert.state === 'firing' && isMlopsError(error) && UNWRITABLE.includes(error.code)
  if (!isTold) throw error
  ctx.warn(`The alert is sent without a record, so it may be sent again: ${error.message}`)
  return { number: null, end: async () => true, release: () => {} }
}

const UNWRITABLE = ['STORE_FULL', 'STORE_READ_ONLY', 'STORE_IO']

function planOf(request: DueRequest, log: AlertLog): Plan {
  const { check } = request
  const channels = namedChannels(request.channels)
  const due = decideDue({ ...request, fired: log.messages })
  const last = log.messages.at(-1)
  if (due.decision === 'hold') {
    return missed(check, channels, last) ?? { ...due, alert: request.alert, seen: check, channels: [] }
  }
  const told = due.decision === 'fire' ? channels : toldBy(log, channels)
  return {
    decision: due.decision,
    reason: told.length > 0 ? due.reason : `${due.reason}; no channel had taken the alert, so none is told`,
    alert: { ...request.alert, since: due.since, state: due.decision === 'fire' ? 'firing' : 'recovered' },
    seen: seenWhat(check),
    channels: told,
  }
}

const seenWhat = ({ id, window, length, against }: SeenCheck): SeenWhat => ({
  id,
  window,
  ...(length === undefined ? {} : { length }),
  ...(against === undefined ? {} : { against }),
})

/** The newest message, for the channels that have not taken it, while it still says what is so. */
function missed(check: SeenCheck, channels: readonly NamedChannel[], last: Message | undefined): Plan | undefined {
  if (last === undefined || (check.trouble !== null && check.trouble !== (last.state === 'firing'))) return undefined
  const left = channels
    .filter(({ label }) => !last.delivered.includes(label))
    .filter(({ label }) => last.state === 'firing' || last.channels.includes(label))
  if (left.length === 0) return undefined
  const reason = `the message of ${last.time} has not reached ${left.map(({ label }) => label).join(', ')}`
  return { decision: 'redeliver', reason, alert: last.alert, seen: last.seen, channels: left, again: last.number }
}

/** Who was never told of the trouble is not told of its end. Everybody, where a sender died and nobody knows. */
function toldBy({ messages }: AlertLog, channels: readonly NamedChannel[]): readonly NamedChannel[] {
  const begin = messages.findLastIndex(({ state }) => state === 'recovered') + 1
  const alerts = messages.slice(begin)
  if (alerts.some(({ open }) => open)) return channels
  const told = new Set(alerts.flatMap(({ delivered }) => delivered))
  return channels.filter(({ label }) => told.has(label))
}

const held = (reason: string): AlertOutcome => ({
  decision: 'hold',
  reason,
  alert: null,
  deliveries: [],
  number: null,
})
