/**
 * `pagerduty:NAME`: Events API v2. The integration key comes from the environment: MLOPS_PAGERDUTY_KEY_<NAME>, else
 * MLOPS_PAGERDUTY_KEY. Limits and answers by PagerDuty's developer documentation (github.com/PagerDuty/developer-docs,
 * events-API-v2: "Overview" and "Send an Alert Event").
 */
import type { Context } from '../core/context.ts'
import { type Channel, missingVariable, SendProblem, variable, variablePart, webDestination } from './channel.ts'
import { isRoutingKey } from './channels.ts'
import { cut } from './clean.ts'
import { httpRequest, type Reply, replyProblem } from './http.ts'
import { factsOf, firstOf, headline } from './text.ts'
import type { Alert } from './types.ts'

const ENQUEUE = 'https://events.pagerduty.com/v2/enqueue'
/** `payload.summary`, "maximum permitted length". */
const SUMMARY_MAX = 1024
/** Ours: "Events API payloads are limited to 512 KB". 100 findings of 1,000 characters are far below it in any script. */
const FINDINGS = 100
const DETAIL_MAX = 1000
const KEY = 'MLOPS_PAGERDUTY_KEY'

const SEVERITY: Readonly<Record<Alert['kind'], 'critical' | 'error' | 'warning' | 'info'>> = {
  silence: 'critical',
  health: 'error',
  quality: 'error',
  retrain: 'error',
  drift: 'warning',
  due: 'warning',
  passed: 'info',
  test: 'info',
}

export function pagerDutyChannel(target: string, ctx: Context): Channel {
  const names = [...(target === '' || isRoutingKey(target) ? [] : [`${KEY}_${variablePart(target)}`]), KEY]
  const key = isRoutingKey(target) ? target : variable(ctx, names)
  const url = variable(ctx, ['MLOPS_PAGERDUTY_URL']) ?? ENQUEUE
  const routingKey = (): string => {
    if (key === undefined) throw missingVariable(names[0] ?? KEY, 'the integration key of the PagerDuty service')
    return key
  }
  return {
    secrets: key === undefined ? [] : [key],
    destination() {
      routingKey()
      return webDestination(url, 'MLOPS_PAGERDUTY_URL')
    },
    async send(alert, { wire }) {
      const key = routingKey()
      if (isRoutingKey(target)) {
        ctx.warn(`A PagerDuty key stands in the configuration. Put it into ${KEY} and write pagerduty instead.`)
      }
      const reply = await httpRequest(ctx, wire, {
        url,
        body: JSON.stringify({ routing_key: key, ...eventOf(alert) }),
        headers: { 'content-type': 'application/json' },
      })
      const failure = replyProblem(reply, ctx.now(), saidBy)
      if (failure !== undefined) throw failure
      if (reply.status !== 202)
        throw new SendProblem(`the answer was ${reply.status}, not 202: is it PagerDuty?`, 'never')
      return undefined
    },
  }
}

/** The event without its routing key. The fingerprint is the dedup key: an alert that lasts stays one incident. */
function eventOf(alert: Alert): Readonly<Record<string, unknown>> {
  const base = { dedup_key: alert.fingerprint, client: 'mlops' }
  if (alert.state === 'recovered') return { ...base, event_action: 'resolve' }
  const facts = factsOf(alert).map(({ label, value }) => [label, cut(value, DETAIL_MAX)])
  return {
    ...base,
    event_action: 'trigger',
    payload: {
      summary: cut(headline(alert), SUMMARY_MAX),
      source: alert.stage === null ? alert.model : `${alert.model} in ${alert.stage}`,
      severity: SEVERITY[alert.kind],
      timestamp: alert.time,
      component: alert.model,
      ...(alert.stage === null ? {} : { group: alert.stage }),
      class: alert.kind,
      custom_details: {
        summary: cut(alert.summary, DETAIL_MAX),
        findings: firstOf(alert.findings, FINDINGS).map((finding) => cut(finding, DETAIL_MAX)),
        next: cut(alert.next, DETAIL_MAX),
        ...Object.fromEntries(facts),
      },
    },
    ...(alert.url === undefined ? {} : { links: [{ href: alert.url, text: 'The run of the check' }] }),
  }
}

/** `{"status": "invalid event", "message": "…", "errors": ["…"]}` */
function saidBy({ text }: Reply): string {
  try {
    const { message, errors } = JSON.parse(text) as { message?: unknown; errors?: unknown }
    return [message, ...(Array.isArray(errors) ? errors : [])].filter((each) => typeof each === 'string').join(': ')
  } catch {
    return text
  }
}
