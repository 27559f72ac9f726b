/**
 * `slack:#channel`: an incoming webhook, which belongs to one channel of Slack: MLOPS_SLACK_WEBHOOK_<CHANNEL>, else
 * MLOPS_SLACK_WEBHOOK. Block Kit within its limits, and `text` for notifications and old clients.
 *
 * Limits: docs.slack.dev, "Blocks" (50 in a message), "Header block" (150), "Section block" (text 3,000; 10 fields of
 * 2,000), "Formatting message text" (& < > are escaped). Not documented: all blocks together are refused from about
 * 13,000 characters on (`msg_blocks_too_long`, github.com/slackapi/bolt-js/issues/2509).
 */
import type { Context } from '../core/context.ts'
import { type Channel, missingVariable, SendProblem, variable, variablePart, webDestination } from './channel.ts'
import { cutEscaped, oneLine, secretsOfAddress } from './clean.ts'
import { httpRequest, type Reply, replyProblem } from './http.ts'
import { factsOf, headline } from './text.ts'
import type { Alert } from './types.ts'

const HEADER_MAX = 150
const SECTION_MAX = 3000
const FIELDS_MAX = 10
/** Ours, together far below what is refused. */
const FINDINGS_MAX = 6000
const FINDING_MAX = 400
const FACT_MAX = 250
const TEXT_MAX = 500
const WEBHOOK = 'MLOPS_SLACK_WEBHOOK'

type Text = { readonly type: 'mrkdwn' | 'plain_text'; readonly text: string; readonly [option: string]: unknown }
export type Block =
  | { readonly type: 'header'; readonly text: Text }
  | { readonly type: 'section'; readonly text?: Text; readonly fields?: readonly Text[] }
  | { readonly type: 'context'; readonly elements: readonly Text[] }

export function slackChannel(target: string, ctx: Context): Channel {
  const part = variablePart(target.replace(/^#/, ''))
  const names = [...(part === '' ? [] : [`${WEBHOOK}_${part}`]), WEBHOOK]
  const url = variable(ctx, names)
  const webhook = (): string => {
    if (/[:/]/.test(target)) {
      throw new SendProblem(
        `the address of a webhook does not belong here: put it into ${WEBHOOK} and write slack:#channel`,
        'never',
        WEBHOOK,
      )
    }
    if (url === undefined) {
      throw missingVariable(
        names[0] ?? WEBHOOK,
        `the incoming webhook of ${target}${names.length > 1 ? ` (or ${WEBHOOK} for every channel)` : ''}`,
      )
    }
    if (!URL.canParse(url)) throw new SendProblem(`${names.join(' or ')} holds no address`, 'never')
    return url
  }
  return {
    secrets: url === undefined ? [] : secretsOfAddress(url),
    destination: () => webDestination(webhook(), names[0]),
    async send(alert, { wire }) {
      const url = webhook()
      const reply = await httpRequest(ctx, wire, {
        url,
        body: JSON.stringify(slackMessage(alert)),
        headers: { 'content-type': 'application/json; charset=utf-8' },
      })
      const failure = replyProblem(reply, ctx.now(), saidBySlack)
      if (failure !== undefined) throw failure
      return undefined
    },
  }
}

/** What Slack answers in one word (api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks). */
function saidBySlack({ text }: Reply): string {
  const meaning: Readonly<Record<string, string>> = {
    no_service: 'the webhook was revoked',
    no_team: 'the workspace is gone',
    channel_not_found: 'the channel of the webhook is gone',
    channel_is_archived: 'the channel is archived',
    action_prohibited: 'an administrator forbids it',
    invalid_token: 'the webhook is not valid',
  }
  const word = oneLine(text)
  return meaning[word] === undefined ? word : `${word}: ${meaning[word]}`
}

export function slackMessage(alert: Alert): { readonly text: string; readonly blocks: readonly Block[] } {
  const mark = alert.kind === 'test' ? '🔔' : alert.state === 'recovered' || alert.kind === 'passed' ? '✅' : '🔴'
  const facts = factsOf(alert).slice(0, FIELDS_MAX)
  const blocks: Block[] = [
    { type: 'header', text: plain(`${mark} ${headline(alert)}`, HEADER_MAX) },
    ...(alert.summary === '' ? [] : [{ type: 'section', text: plain(alert.summary, SECTION_MAX) } as const]),
    ...findingBlocks(alert.findings),
    { type: 'section', fields: facts.map(({ label, value }) => field(label, value)) },
    { type: 'section', text: markdown(`*Next*\n\`${escaped(alert.next.replaceAll('`', "'"), FACT_MAX * 4)}\``) },
    ...(alert.url === undefined
      ? []
      : [
          {
            type: 'context',
            elements: [
              markdown(`<${escaped(alert.url.replaceAll('|', '%7C'), SECTION_MAX / 2)}|The run of the check>`),
            ],
          } as const,
        ]),
  ]
  return { text: escaped([headline(alert), ...alert.findings.slice(0, 1)].join(': '), TEXT_MAX), blocks }
}

/** Plain text, so that `_` and `*` in the name of a column mean nothing; as many lines as fit, worst first. */
function findingBlocks(findings: readonly string[]): Block[] {
  const sections: string[] = []
  let total = 0
  let shown = 0
  for (const finding of findings) {
    const line = `• ${escaped(oneLine(finding), FINDING_MAX)}`
    if (total + line.length + 1 > FINDINGS_MAX) break
    const last = sections.at(-1)
    if (last !== undefined && last.length + line.length + 1 <= SECTION_MAX - 50)
      sections[sections.length - 1] = `${last}\n${line}`
    else sections.push(line)
    total += line.length + 1
    shown++
  }
  if (shown < findings.length && sections.length > 0) {
    sections[sections.length - 1] += `\nand ${findings.length - shown} more`
  }
  return sections.map((text) => ({ type: 'section', text: { type: 'plain_text', text, emoji: false } }))
}

const field = (label: string, value: string): Text =>
  markdown(`*${escaped(label, FACT_MAX)}*\n${escaped(value, FACT_MAX)}`)

/** `verbatim`: Slack makes no links or mentions of what merely looks like one. */
const markdown = (text: string): Text => ({ type: 'mrkdwn', text, verbatim: true })
const plain = (text: string, max: number): Text => ({ type: 'plain_text', text: escaped(text, max), emoji: false })
const escaped = (text: string, max: number): string => cutEscaped(text, max, escapeCharacter)

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }
const escapeCharacter = (character: string): string => ENTITIES[character] ?? character
