/** `mlops notify test`: a message to each channel that nobody can take for trouble. */
import type { Context } from '../core/context.ts'
import { type MlopsError, usage } from '../core/errors.ts'
import { ulid } from '../core/ulid.ts'
import { assertChannels } from './channels.ts'
import { type DeliverOptions, deliver } from './deliver.ts'
import { fingerprintOf } from './fingerprint.ts'
import type { Alert, Delivery } from './types.ts'

export interface ChannelTest {
  readonly channel: string
  readonly delivered: boolean
  readonly attempts: number
  readonly error: string | null
  /** The environment variable to set, when that is what is missing. */
  readonly missing: string | null
  /** Of `stdout`: the message itself. */
  readonly print: string | null
}

/** These keep what fires open until its end is told. */
const KEEPS_OPEN = /^(?:pagerduty|github)(?::|$)/

/** @throws usage `CHANNEL_INVALID` before anything is sent */
export async function testChannels(
  ctx: Context,
  channels: readonly string[],
  model: string | undefined,
  options: DeliverOptions = {},
): Promise<ChannelTest[]> {
  assertChannels(channels)
  const alert = testAlert(ctx, model ?? 'no-model')
  const deliveries = await deliver(ctx, alert, channels, options)
  const closing = channels.filter((channel) => KEEPS_OPEN.test(channel))
  const closed = await deliver(ctx, { ...alert, state: 'recovered' }, closing, options)
  return deliveries.map((fired) => answerOf(fired, closed))
}

export const noChannels = (model: string | undefined): MlopsError =>
  usage({
    code: 'CHANNELS_MISSING',
    message: `There is nobody to send a test to: ${model === undefined ? 'no model in mlops.yaml has a channel' : `no channel is configured for ${model}`}.`,
    hint: `Name one: mlops notify test slack:#ml-alerts; or in mlops.yaml: models: {${model ?? 'churn-model'}: {notify: ["slack:#ml-alerts"]}}`,
  })

function answerOf(fired: Delivery, closed: readonly Delivery[]): ChannelTest {
  const end = fired.delivered ? closed.find(({ channel }) => channel === fired.channel) : undefined
  const isWhole = fired.delivered && end?.delivered !== false
  const error = fired.error ?? (isWhole ? undefined : `sent, but not closed again: ${end?.error}`)
  return {
    channel: fired.channel,
    delivered: isWhole,
    attempts: fired.attempts,
    error: error ?? null,
    missing: fired.missing ?? null,
    print: fired.print ?? null,
  }
}

function testAlert(ctx: Context, model: string): Alert {
  const time = ctx.now().toISOString()
  return {
    model,
    stage: null,
    version: 0,
    kind: 'test',
    state: 'firing',
    // Every test is one of its own: it must not be taken for the one before.
    fingerprint: fingerprintOf(model, ulid(ctx.now().getTime()), 'test'),
    title: `mlops notify test${model === 'no-model' ? '' : ` of ${model}`}`,
    summary: `This is a test of the channel, sent by ${ctx.actor.name}. Nothing is wrong.`,
    findings: [],
    since: time,
    time,
    evidence: [],
    next: 'mlops status',
  }
}
