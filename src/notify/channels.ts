/** From `slack:#ml-alerts` as it is written in mlops.yaml to the channel: which kinds there are, and what each is called. */

import type { Context } from '../core/context.ts'
import { usage } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'
import { type Channel, SendProblem } from './channel.ts'

/** Loads only the file of the kind that is used. */
type Make = (target: string, ctx: Context) => Promise<Channel>

const KINDS: Readonly<Record<string, { readonly example: string; readonly bare?: true; readonly make: Make }>> = {
  slack: { example: 'slack:#ml-alerts', make: async (...given) => (await import('./slack.ts')).slackChannel(...given) },
  email: {
    example: 'email:ml@example.com',
    make: async (...given) => (await import('./email.ts')).emailChannel(...given),
  },
  webhook: {
    example: 'webhook:https://example.com/hook',
    make: async (...given) => (await import('./webhook.ts')).webhookChannel(...given),
  },
  pagerduty: {
    example: 'pagerduty:ML',
    bare: true,
    make: async (...given) => (await import('./pagerduty.ts')).pagerDutyChannel(...given),
  },
  github: { example: 'github', bare: true, make: async (_, ctx) => (await import('./github.ts')).gitHubChannel(ctx) },
  file: { example: 'file:alerts.jsonl', make: async (target) => (await import('./file.ts')).fileChannel(target) },
  stdout: { example: 'stdout', bare: true, make: async () => (await import('./stdout.ts')).stdoutChannel() },
}

export interface NamedChannel {
  /** As configured; may hold a secret. */
  readonly written: string
  /** Without what is secret, and different from that of every other channel of the list. */
  readonly label: string
}

/** Each channel once. Two that look the same without their secrets are told apart by their place: `… (2)`. */
export function namedChannels(channels: readonly string[]): NamedChannel[] {
  const used = new Map<string, number>()
  return [...new Set(channels)].map((written) => {
    const label = labelOf(written)
    const count = (used.get(label) ?? 0) + 1
    used.set(label, count)
    return { written, label: count === 1 ? label : `${label} (${count})` }
  })
}

/** What may be shown and stored: addresses without user, path and query, keys not at all. */
export function labelOf(written: string): string {
  const { kind, target } = partsOf(written)
  if (kind === 'webhook') return `webhook:${webhookLabel(target)}`
  if (kind === 'pagerduty') return target === '' || isRoutingKey(target) ? 'pagerduty' : `pagerduty:${target}`
  // A webhook of Slack's written in the place of the channel is a secret.
  if (kind === 'slack' && /[:/]/.test(target)) return 'slack'
  return kind in KINDS ? written : kind
}

/** Integration keys of PagerDuty have 32 characters (developer.pagerduty.com, "Send an Alert Event"). */
export const isRoutingKey = (target: string): boolean => /^[0-9A-Za-z]{32}$/.test(target)

function webhookLabel(target: string): string {
  try {
    const { protocol, host, pathname, search } = new URL(target)
    return `${protocol}//${host}${pathname === '/' && search === '' ? '' : '/…'}`
  } catch {
    return '…'
  }
}

function partsOf(written: string): { readonly kind: string; readonly target: string } {
  const at = written.indexOf(':')
  return at < 0 ? { kind: written, target: '' } : { kind: written.slice(0, at), target: written.slice(at + 1) }
}

/** @returns what is wrong with a channel as it is written, or undefined. Free of secrets. */
export function channelProblem(written: string): string | undefined {
  const { kind, target } = partsOf(written)
  const known = KINDS[kind]
  if (known === undefined) {
    const close = nearest(kind, Object.keys(KINDS))
    const guess = close === undefined ? '' : ` Did you mean ${KINDS[close]?.example}?`
    return `There is no channel of the kind ${JSON.stringify(kind.slice(0, 40))}; there are ${Object.keys(KINDS).join(', ')}.${guess}`
  }
  if (target === '' && known.bare !== true) return `${kind} needs to know whom: ${known.example}`
  return undefined
}

/** @throws usage `CHANNEL_INVALID` with everything that is wrong */
export function assertChannels(channels: readonly string[]): void {
  const problems = channels.flatMap((written) => channelProblem(written) ?? [])
  if (problems.length === 0) return
  throw usage({
    code: 'CHANNEL_INVALID',
    message: problems.length === 1 ? (problems[0] ?? '') : `${problems.length} channels are wrong.`,
    hint: `Write for example: mlops notify test ${KINDS.slack?.example} or ${KINDS.email?.example}`,
    ...(problems.length > 1 ? { details: { problems } } : {}),
  })
}

/** @throws SendProblem for a channel that is not one */
export async function openChannel(written: string, ctx: Context): Promise<Channel> {
  const problem = channelProblem(written)
  const { kind, target } = partsOf(written)
  const made = KINDS[kind]
  if (problem !== undefined || made === undefined) throw new SendProblem(problem ?? 'no such channel', 'never')
  return made.make(target, ctx)
}
