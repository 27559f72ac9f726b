/** What a PostgreSQL server or the way to it refuses, as one sentence and the next thing to do. Never with a password. */
import { failed, interrupted, isMlopsError, type MlopsError, notFound, systemCode, usage } from '../core/errors.ts'
import { redactText } from '../core/redact.ts'

export interface Database {
  /** With credentials; for `pg` only. */
  readonly url: string
  /** `postgres://host:port/database`: for people and records. */
  readonly name: string
  /** Taken out of every message. */
  readonly secrets: readonly string[]
}

export function databaseError(error: unknown, database: Database, signal?: AbortSignal): MlopsError {
  if (signal?.aborted) return interrupted({ code: 'INTERRUPTED', message: 'Interrupted while reading data.' })
  if (isMlopsError(error)) return error
  const text = firstLine(error, database)
  const code = systemCode(error) ?? ''
  const said = { message: `${database.name}: ${text}.` }
  if (code === '28P01' || code === '28000' || /password must be a string|no password supplied/i.test(text)) {
    const why = /must be a string|no password/i.test(text) ? 'it asks for a password and none is set' : text
    return failed({
      code: 'DATABASE_REFUSED',
      message: `${database.name} refuses the login: ${why}.`,
      hint: 'Set the password in PGPASSWORD or in ~/.pgpass, and the user in the URL: postgres://USER@HOST/DATABASE',
    })
  }
  if (code === '3D000') return notFound({ code: 'DATABASE_NOT_FOUND', ...said, hint: 'List them: psql -l' })
  if (code === '42P01' || code === '3F000') {
    return notFound({
      code: 'TABLE_NOT_FOUND',
      ...said,
      hint: 'List them with psql: \\dt *.*; write ?table=SCHEMA.NAME in its exact spelling',
    })
  }
  if (code === '42501') return failed({ code: 'DATABASE_FORBIDDEN', ...said, hint: 'Ask for the right to SELECT' })
  if (code === '25006' || /data-modifying|insert multiple commands|INTO is not allowed/i.test(text)) {
    return usage({
      code: 'QUERY_INVALID',
      message: `Only one SELECT can be run, in a read-only transaction: ${text}.`,
      hint: "Pass --query 'SELECT … FROM …'",
    })
  }
  if (code === '57014') {
    return failed({
      code: 'DATABASE_TIMEOUT',
      message: `${database.name} took longer than allowed: ${text}.`,
      hint: 'Select fewer rows, or allow more: &statement_timeout=MILLISECONDS in the URL',
    })
  }
  if (/^(?:42|22|2[01])/.test(code)) {
    return usage({
      code: 'QUERY_INVALID',
      message: `The query is not accepted: ${text}.`,
      hint: 'Try it in psql first',
    })
  }
  if (/certificate|SSL|TLS/i.test(text) || /CERT|SSL|TLS/.test(code)) {
    return failed({
      code: 'DATABASE_UNREACHABLE',
      message: `No encrypted connection to ${database.name}: ${text}.`,
      hint: 'Set sslmode in the URL (disable, no-verify, verify-full), and sslrootcert=FILE for an authority of your own',
    })
  }
  return failed({
    code: 'DATABASE_UNREACHABLE',
    message: `${database.name} cannot be reached or broke off: ${text}.`,
    hint: 'Check host and port, and that the server runs: pg_isready -h HOST -p PORT',
  })
}

function firstLine(error: unknown, { secrets }: Database): string {
  // What fails for each address of a host arrives as several errors in one.
  const inner = error instanceof AggregateError ? error.errors[0] : error
  const raw = inner instanceof Error ? inner.message || (systemCode(inner) ?? 'unknown error') : String(inner)
  const line = (raw.split('\n')[0] ?? '').replace(/\.$/, '')
  return redactText(secrets.reduce((text, secret) => text.replaceAll(secret, '[redacted]'), line))
}
