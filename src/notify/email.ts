/**
 * `email:a@b`: one mail per message, over SMTP from MLOPS_SMTP_URL, sender MLOPS_SMTP_FROM. Plain text and a small page
 * of the same. All mails about one fingerprint are one thread (RFC 5322, section 3.6.4): they refer to a message id made
 * of it, so a recovery is shown below its alert.
 */
import type { Context } from '../core/context.ts'
import { type Channel, missingVariable, SendProblem, variable } from './channel.ts'
import { cut, oneLine } from './clean.ts'
import { networkProblem } from './http.ts'
import { factsOf, firstOf, headline, MOST_FINDINGS, messageId, plainText } from './text.ts'
import type { Alert } from './types.ts'

const URL_NAME = 'MLOPS_SMTP_URL'
const FROM_NAME = 'MLOPS_SMTP_FROM'
/** A header line should not be longer than 998 characters (RFC 5322, 2.1.1); people see far fewer. */
const SUBJECT_MAX = 200
const TLS_WORDS = ['required', 'off']
/** One address and nothing that could begin another one or another header. */
const ADDRESS = /^[^\s@,;:<>()[\]"\\]+@[^\s@,;:<>()[\]"\\]+$/

export interface SmtpServer {
  readonly host: string
  readonly port: number
  /** TLS from the first byte on. */
  readonly secure: boolean
  /** Whether mail may go out unencrypted: only to this very machine, or where the address says so. */
  readonly plain: boolean
  readonly user: { readonly user: string; readonly pass: string } | undefined
}

export function emailChannel(target: string, ctx: Context): Channel {
  const url = variable(ctx, [URL_NAME])
  const server = url === undefined ? undefined : smtpServer(url)
  const pass = typeof server === 'object' ? server.user?.pass : undefined
  const route = (): { readonly server: SmtpServer; readonly from: Sender } => {
    if (server === undefined) {
      throw missingVariable(URL_NAME, 'the mail server with user and password, smtp://… or smtps://… (docs/alerts.md)')
    }
    if (typeof server === 'string') throw new SendProblem(`${URL_NAME} ${server}`, 'never', URL_NAME)
    const from = senderOf(ctx, server)
    if (!ADDRESS.test(target)) throw new SendProblem('it is not one mail address', 'never')
    return { server, from }
  }
  return {
    secrets: [...(url === undefined ? [] : [url]), ...(pass === undefined ? [] : [pass])],
    destination() {
      const { host, port, secure } = route().server
      return { kind: 'host', host, port, tls: secure, web: false }
    },
    async send(alert, { wire }) {
      const { server, from } = route()
      const { createTransport } = await import('nodemailer')
      const transport = createTransport({
        host: server.host,
        port: server.port,
        secure: server.secure,
        requireTLS: !server.plain,
        // A mail server on this very machine has rarely a certificate for the name localhost.
        ignoreTLS: server.plain,
        ...(server.user === undefined ? {} : { auth: server.user }),
        connectionTimeout: wire.timeout,
        greetingTimeout: wire.timeout,
        socketTimeout: wire.timeout,
        dnsTimeout: wire.timeout,
        disableFileAccess: true,
        disableUrlAccess: true,
        logger: false,
      })
      try {
        await transport.sendMail(mailOf(alert, from, target))
        return undefined
      } catch (error) {
        throw smtpProblem(error)
      } finally {
        transport.close()
      }
    },
  }
}

/** @returns what is wrong with the address of the server, free of secrets, or the server */
export function smtpServer(text: string): SmtpServer | string {
  if (!URL.canParse(text))
    return 'is no address: write smtp://user:password@host:587, with % codes for @ : / in the password'
  const url = new URL(text)
  if (!['smtp:', 'smtps:'].includes(url.protocol) || url.hostname === '')
    return 'must begin with smtp:// or smtps:// and name a host'
  const tls = url.searchParams.get('tls')
  if (tls !== null && !TLS_WORDS.includes(tls)) return 'knows only ?tls=off and ?tls=required'
  const secure = url.protocol === 'smtps:'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const isLocal = host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
  try {
    return {
      host,
      port: url.port === '' ? (secure ? 465 : 587) : Number(url.port),
      secure,
      plain: !secure && (tls === 'off' || (isLocal && tls !== 'required')),
      user:
        url.username === '' && url.password === ''
          ? undefined
          : { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) },
    }
  } catch {
    return 'has a % in the user or password that is no % code: write %25'
  }
}

interface Sender {
  readonly name: string
  readonly address: string
}

/** `ml@example.com` or `ML alerts <ml@example.com>`; without one, the user of the server where that is an address. */
function senderOf(ctx: Context, { user }: SmtpServer): Sender {
  const written = variable(ctx, [FROM_NAME]) ?? user?.user ?? ''
  const [, name = '', address = written] = /^([^<>]*)<([^<>]+)>$/.exec(written) ?? []
  if (ADDRESS.test(address)) return { name: oneLine(name.replaceAll('"', '')), address }
  if (variable(ctx, [FROM_NAME]) === undefined)
    throw missingVariable(FROM_NAME, 'the sender of the mails, as ml@example.com')
  throw new SendProblem(`${FROM_NAME} is not one mail address`, 'never', FROM_NAME)
}

/** The message for nodemailer, which folds and encodes the headers. Every text in a header is on one line. */
function mailOf(alert: Alert, from: Sender, to: string) {
  const domain = from.address.slice(from.address.lastIndexOf('@') + 1)
  const thread = `<mlops.${alert.fingerprint.slice(0, 32)}@${domain}>`
  return {
    from: { ...from },
    to: { name: '', address: to },
    subject: cut(oneLine(`[mlops] ${headline(alert)}`), SUBJECT_MAX),
    messageId: `<mlops.${alert.fingerprint.slice(0, 32)}.${messageId(alert)}@${domain}>`,
    inReplyTo: thread,
    references: [thread],
    date: new Date(alert.time),
    text: plainText(alert),
    html: pageOf(alert),
    headers: {
      // Out-of-office answers to a machine help nobody (RFC 3834).
      'Auto-Submitted': 'auto-generated',
      'X-Mlops-Fingerprint': alert.fingerprint,
    },
  }
}

function pageOf(alert: Alert): string {
  const findings = firstOf(alert.findings, MOST_FINDINGS).map((finding) => `<li>${html(finding)}</li>`)
  const facts = factsOf(alert).map(
    ({ label, value }) =>
      `<tr><td style="padding-right:1em;color:#666">${html(label)}</td><td>${html(value)}</td></tr>`,
  )
  return [
    '<!doctype html><meta charset="utf-8"><body style="font-family:sans-serif;max-width:42em">',
    `<h2 style="font-size:1.2em">${html(headline(alert))}</h2>`,
    `<p>${html(alert.summary)}</p>`,
    findings.length === 0 ? '' : `<ul>${findings.join('')}</ul>`,
    `<table style="font-size:.9em">${facts.join('')}</table>`,
    `<p>Next: <code>${html(alert.next)}</code></p>`,
    alert.url === undefined ? '' : `<p><a href="${html(alert.url)}">The run of the check</a></p>`,
    '</body>',
  ].join('\n')
}

const html = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

/** Codes of nodemailer, and answers of the server: 4xx passes, 5xx does not (RFC 5321, section 4.2.1). */
function smtpProblem(error: unknown): SendProblem {
  const { code = '', responseCode, message = '' } = error as { code?: string; responseCode?: number; message?: string }
  if (code === 'ETLS' || /certificate|STARTTLS|\bTLS\b|\bSSL\b|wrong version number/i.test(message)) {
    const hint =
      code === 'ETLS' || /STARTTLS/i.test(message)
        ? '; where mail may go out unencrypted, add ?tls=off to MLOPS_SMTP_URL'
        : ''
    return new SendProblem(`no safe connection (TLS): ${oneLine(cut(message, 200))}${hint}`, 'never')
  }
  if (code === 'EAUTH') {
    const passing = responseCode !== undefined && responseCode < 500
    return new SendProblem(
      `the server does not accept the user and password of ${URL_NAME} (${responseCode ?? code})`,
      passing ? 'soon' : 'never',
    )
  }
  if (responseCode !== undefined) {
    return new SendProblem(
      `the mail server refused: ${oneLine(cut(message, 200))}`,
      responseCode < 500 ? 'soon' : 'never',
    )
  }
  if (code === 'EDNS') return new SendProblem('the host name of the mail server is unknown', 'soon')
  if (code === 'ETIMEDOUT') return new SendProblem('no answer from the mail server', 'soon')
  return networkProblem(error)
}
