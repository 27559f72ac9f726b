/**
 * The log of what was sent about one fingerprint: numbered claims under `alerts/<fingerprint>` (docs/store-format.md,
 * "Alerts"). `fired` says that somebody is about to send and to whom, `delivered` what became of it: two facts, two
 * records. Whoever takes the number of a `fired` sends; one whose sender died is superseded by the next number.
 * Whether to send is `due.ts` and `send.ts`.
 */
import { hostname } from 'node:os'
import type { Json } from '../core/canonical-json.ts'
import type { Context } from '../core/context.ts'
import type { Store } from '../store/store.ts'
import type { Alert, Delivery, FiredAlert, SeenWhat } from './types.ts'

const BEAT_EVERY = 10_000
/** Milliseconds of silence after which a sender is taken for dead. */
export const SENDER_DEAD_AFTER = 120_000

export interface FiredRecord {
  readonly kind: 'fired'
  readonly alert: Alert
  readonly seen: SeenWhat
  /** To whom, without what is secret. */
  readonly channels: readonly string[]
  /** The first number of this message, when this is another try to deliver it. */
  readonly again?: number
  readonly actor: string
  readonly host: string
  readonly time: string
}

export interface DeliveredRecord {
  readonly kind: 'delivered'
  /** The number of the `fired` whose end this is. */
  readonly of: number
  readonly deliveries: readonly Omit<Delivery, 'print'>[]
  readonly time: string
}

export type AlertRecord = FiredRecord | DeliveredRecord

/** One message with all tries to deliver it. */
export interface Message extends FiredAlert {
  readonly alert: Alert
  /** To whom it was to go. */
  readonly channels: readonly string[]
  /** Channels that took it. */
  readonly delivered: readonly string[]
  /** Its sender has written no end yet. */
  readonly open: boolean
  /** When it was last tried. */
  readonly tried: string
}

export interface AlertLog {
  readonly head: number
  /** Oldest first. */
  readonly messages: readonly Message[]
}

const scopeOf = (fingerprint: string): string => `alerts/${fingerprint}`

/** @throws failed `RECORD_DAMAGED` */
export async function readAlerts(store: Pick<Store, 'claims'>, model: string, fingerprint: string): Promise<AlertLog> {
  const claims = await store.claims.list(model, scopeOf(fingerprint))
  return {
    head: claims.at(-1)?.number ?? 0,
    messages: foldAlerts(claims.map(({ number, record }) => ({ number, record: record as unknown as AlertRecord }))),
  }
}

function foldAlerts(claims: readonly { readonly number: number; readonly record: AlertRecord }[]): Message[] {
  const messages = new Map<number, Message>()
  const first = new Map<number, number>()
  for (const { number, record } of claims) {
    if (record.kind === 'fired') {
      const key = record.again ?? number
      first.set(number, key)
      const before = messages.get(key)
      const { alert, seen, channels, time } = record
      const fresh = { number: key, state: alert.state, time, since: alert.since, seen, alert, channels, delivered: [] }
      messages.set(key, { ...(before ?? fresh), open: true, tried: time })
    } else {
      const key = first.get(record.of) ?? record.of
      const before = messages.get(key)
      if (before === undefined) continue
      const took = record.deliveries.flatMap(({ delivered, channel }) => (delivered ? [channel] : []))
      messages.set(key, { ...before, open: false, delivered: [...new Set([...before.delivered, ...took])] })
    }
  }
  return [...messages.values()]
}

export interface Sending {
  /** Of the claim; null when the store could not take one. */
  readonly number: number | null
  /** @returns false when somebody took this sender for dead: then another one sends too */
  end(deliveries: readonly Delivery[]): Promise<boolean>
  /** Stops the heartbeat. */
  release(): void
}

/** Takes the next number, if the log is still as it was read. @returns undefined when somebody else took it first */
export async function claimSending(
  ctx: Context,
  store: Pick<Store, 'claims'>,
  log: AlertLog,
  record: Pick<FiredRecord, 'alert' | 'seen' | 'channels' | 'again'>,
): Promise<Sending | undefined> {
  const { model, fingerprint } = record.alert
  const scope = scopeOf(fingerprint)
  const number = log.head + 1
  const time = ctx.now().toISOString()
  const fired: FiredRecord = { kind: 'fired', ...record, actor: ctx.actor.name, host: hostname(), time }
  if (!(await store.claims.take(model, scope, number, fired as unknown as Json))) return undefined
  await store.claims.beat(model, scope)
  const timer = setInterval(() => void store.claims.beat(model, scope).catch(() => {}), BEAT_EVERY)
  timer.unref()
  return {
    number,
    async end(deliveries) {
      const plain = deliveries.map(({ print: _, ...delivery }) => delivery)
      const end: DeliveredRecord = { kind: 'delivered', of: number, deliveries: plain, time: ctx.now().toISOString() }
      return store.claims.take(model, scope, number + 1, end as unknown as Json)
    },
    release: () => clearInterval(timer),
  }
}

/** Whether the sender of the newest message is at work: it has written no end, and was heard of not long ago. */
export async function isBeingSent(
  ctx: Context,
  store: Pick<Store, 'claims'>,
  model: string,
  fingerprint: string,
  message: Message,
): Promise<boolean> {
  if (!message.open) return false
  const age = ctx.now().getTime() - Date.parse(message.tried)
  const silent = (await store.claims.silent(model, scopeOf(fingerprint))) ?? Number.POSITIVE_INFINITY
  return Math.min(age, silent * 1000) < SENDER_DEAD_AFTER
}
