/**
 * Trying all channels at once, each a bounded number of times. A channel that does not take the message is an answer,
 * not an exception; `undelivered` makes the error of it once all were tried.
 */
import { setTimeout } from 'node:timers/promises'
import type { Context } from '../core/context.ts'
import { failed, type MlopsError } from '../core/errors.ts'
import { type SendKit, SendProblem, type Wire } from './channel.ts'
import { type NamedChannel, namedChannels, openChannel } from './channels.ts'
import { cleanAlert, conceal, secretsOfAddress } from './clean.ts'
import type { Alert, Delivery } from './types.ts'

/** Tries of one message on one channel. */
const MAX_ATTEMPTS = 4
/** Milliseconds before the second try; doubled for each further one, and up to half as long again by chance. */
const FIRST_PAUSE = 500
/** A channel that asks for a longer pause is given up until the next check. */
const LONGEST_PAUSE = 60_000
/** No try begins later than this many milliseconds after the first. */
const DEADLINE = 90_000
const TIMEOUT = 10_000
const SECRET_VARIABLE =
  /^(?:MLOPS_(?:SLACK_WEBHOOK|WEBHOOK_SECRET|PAGERDUTY_KEY|SMTP_URL|GITHUB_TOKEN)(?:_.*)?|GITHUB_TOKEN)$/

const realWire: Wire = {
  sleep: async (milliseconds, signal) => {
    await setTimeout(milliseconds, undefined, signal === undefined ? {} : { signal })
  },
  random: Math.random,
  timeout: TIMEOUT,
}

export interface DeliverOptions {
  /** Relative paths are relative to this folder; default: where the user stands. */
  readonly root?: string
  readonly wire?: Partial<Wire>
}

/** Never rejects. In the order of the channels; each channel once, however often it is named. */
export const deliver = (
  ctx: Context,
  alert: Alert,
  channels: readonly string[],
  options: DeliverOptions = {},
): Promise<Delivery[]> => deliverTo(ctx, alert, namedChannels(channels), options)

export async function deliverTo(
  ctx: Context,
  alert: Alert,
  channels: readonly NamedChannel[],
  { root = ctx.cwd, wire }: DeliverOptions = {},
): Promise<Delivery[]> {
  const kit: SendKit = { ctx, root, wire: { ...realWire, ...wire } }
  const message = cleanAlert(alert)
  return Promise.all(channels.map((channel) => deliverOne(message, channel, kit)))
}

async function deliverOne(alert: Alert, { written, label }: NamedChannel, kit: SendKit): Promise<Delivery> {
  let attempts = 0
  let secrets = secretsOf(kit.ctx)
  try {
    const channel = await openChannel(written, kit.ctx)
    secrets = [...channel.secrets, ...secrets]
    const started = kit.ctx.now().getTime()
    for (;;) {
      attempts++
      try {
        const print = await channel.send(alert, kit)
        return { channel: label, delivered: true, attempts, ...(print === undefined ? {} : { print }) }
      } catch (error) {
        const pause = pauseAfter(error, attempts, kit.ctx.now().getTime() - started, kit)
        if (pause === undefined) throw error
        await kit.wire.sleep(pause, kit.ctx.signal)
      }
    }
  } catch (error) {
    const missing = error instanceof SendProblem ? error.missing : undefined
    return {
      channel: label,
      delivered: false,
      attempts: missing === undefined ? attempts : 0,
      error: conceal(
        reasonOf(error),
        [written.slice(written.indexOf(':') + 1), ...secrets].filter((each) => !label.includes(each)),
      ),
      ...(missing === undefined ? {} : { missing }),
    }
  }
}

/** @returns milliseconds to wait before the next try, or undefined when there is none */
function pauseAfter(error: unknown, attempts: number, elapsed: number, { ctx, wire }: SendKit): number | undefined {
  if (!(error instanceof SendProblem) || error.retry === 'never') return undefined
  if (attempts >= MAX_ATTEMPTS || ctx.signal?.aborted === true) return undefined
  const backoff = FIRST_PAUSE * 2 ** (attempts - 1) * (1 + wire.random() / 2)
  const pause = Math.max(backoff, error.retry === 'soon' ? 0 : error.retry)
  return pause > LONGEST_PAUSE || elapsed + pause > DEADLINE ? undefined : Math.round(pause)
}

/** What the environment holds for any of the channels: a service may repeat what another one was given. */
const secretsOf = ({ env }: Context): string[] =>
  Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && value !== '' && SECRET_VARIABLE.test(name) ? secretsOfAddress(value) : [],
  )

const reasonOf = (error: unknown): string =>
  error instanceof Error ? (error.name === 'AbortError' ? 'interrupted' : error.message) : String(error)

/**
 * The error to throw once all channels were tried; undefined when every one took it.
 * @param deliveries of one or of several alerts
 */
export function undelivered(deliveries: readonly Delivery[]): MlopsError | undefined {
  const bad = deliveries.filter(({ delivered }) => !delivered)
  if (bad.length === 0) return undefined
  const [missing] = bad.flatMap((each) => each.missing ?? [])
  const took = deliveries.length - bad.length
  return failed({
    code: 'ALERT_UNDELIVERED',
    message: `The alert was NOT delivered to ${bad.map(({ channel, error }) => `${channel} (${error ?? 'unknown'})`).join('; ')}.${took === 0 ? '' : ` ${took} of ${deliveries.length} deliveries went well.`}`,
    hint:
      missing === undefined ? 'Try the channels: mlops notify test' : `Set ${missing}, then try it: mlops notify test`,
    details: { channels: deliveries.map(({ print: _, ...delivery }) => delivery) },
  })
}
