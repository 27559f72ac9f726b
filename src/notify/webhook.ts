/**
 * `webhook:URL`: the alert as JSON, signed with the secret of MLOPS_WEBHOOK_SECRET. How a receiver verifies it is in
 * docs/alerts.md, with code that a test runs.
 */
import { createHmac } from 'node:crypto'
import type { Context } from '../core/context.ts'
import { type Channel, SendProblem, variable, webDestination } from './channel.ts'
import { labelOf } from './channels.ts'
import { secretsOfAddress } from './clean.ts'
import { httpRequest, replyProblem } from './http.ts'
import { messageId } from './text.ts'
import type { Alert } from './types.ts'

/** Raised when a member changes its meaning; members may be added without. */
const WEBHOOK_SCHEMA_VERSION = 1
const SECRET = 'MLOPS_WEBHOOK_SECRET'

export interface AlertMessage extends Alert {
  readonly schemaVersion: number
  /** The same for every try of the same message. */
  readonly id: string
  /** Of `mlops notify test`: nobody is to be woken, whatever `state` says. Absent otherwise. */
  readonly test?: true
}

export const alertMessage = (alert: Alert): AlertMessage => ({
  schemaVersion: WEBHOOK_SCHEMA_VERSION,
  id: messageId(alert),
  ...(alert.kind === 'test' ? { test: true } : {}),
  ...alert,
})

/** `t=<seconds>,v1=<hex of HMAC-SHA256(secret, t + "." + body)>`: the time is signed too, against replays. */
export function signature(secret: string, seconds: number, body: string): string {
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`
}

export function webhookChannel(target: string, ctx: Context): Channel {
  const secret = variable(ctx, [SECRET])
  const label = labelOf(`webhook:${target}`)
  const { url, user, problem } = addressOf(target)
  return {
    secrets: [
      ...secretsOfAddress(target),
      url,
      ...(user === undefined ? [] : user),
      ...(secret === undefined ? [] : [secret]),
    ],
    destination() {
      if (problem !== undefined) throw new SendProblem(problem, 'never')
      return webDestination(url)
    },
    async send(alert, { wire }) {
      if (problem !== undefined) throw new SendProblem(problem, 'never')
      if (secret === undefined) ctx.warn(`${label} gets alerts without a signature: ${SECRET} is not set.`)
      const body = JSON.stringify(alertMessage(alert))
      const seconds = Math.floor(ctx.now().getTime() / 1000)
      const basic = user === undefined ? undefined : Buffer.from(user.join(':')).toString('base64')
      const reply = await httpRequest(ctx, wire, {
        url,
        body,
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'idempotency-key': messageId(alert),
          ...(secret === undefined ? {} : { 'x-mlops-signature': signature(secret, seconds, body) }),
          ...(basic === undefined ? {} : { authorization: `Basic ${basic}` }),
        },
      })
      const failure = replyProblem(reply, ctx.now())
      if (failure !== undefined) throw failure
      return undefined
    },
  }
}

/** User and password of an address go into a header: `fetch` refuses them in the address. */
function addressOf(target: string): { url: string; user?: [string, string]; problem?: string } {
  try {
    const url = new URL(target)
    if (!['http:', 'https:'].includes(url.protocol)) return { url: target, problem: 'it is no http(s) address' }
    const { username, password } = url
    url.username = ''
    url.password = ''
    if (username === '' && password === '') return { url: url.href }
    return { url: url.href, user: [decodeURIComponent(username), decodeURIComponent(password)] }
  } catch {
    return { url: target, problem: 'it is no http(s) address' }
  }
}
