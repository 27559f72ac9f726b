/**
 * What every request to GitHub's REST API has in common: headers, pages, the message of an error, how long a limit of
 * the rate lasts. What is asked of it is the business of those who ask.
 *
 * docs.github.com/en/rest: "Getting started with the REST API", "API Versions", "Using pagination in the REST API",
 * "Rate limits for the REST API", "Best practices for using the REST API"; version 2022-11-28.
 */
import type { Reply } from './http.ts'

export const GITHUB_API_VERSION = '2022-11-28'
/** "Otherwise, wait for at least one minute before retrying" (secondary rate limits). Milliseconds. */
const SECONDARY_PAUSE = 60_000

export const gitHubHeaders = (token: string, tool: string): Record<string, string> => ({
  accept: 'application/vnd.github+json',
  authorization: `Bearer ${token}`,
  'user-agent': tool.replace(' ', '/'),
  'x-github-api-version': GITHUB_API_VERSION,
})

/** The body as JSON; undefined when it is none. */
export function jsonOf({ text }: Reply): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** `message` of an error, with the messages of its `errors`; empty without one. */
export function gitHubMessage(reply: Reply): string {
  const { message, errors } = (jsonOf(reply) ?? {}) as { message?: unknown; errors?: unknown }
  const more = Array.isArray(errors)
    ? errors.flatMap((each: unknown) => {
        const said = typeof each === 'string' ? each : (each as { message?: unknown } | null)?.message
        return typeof said === 'string' ? [said] : []
      })
    : []
  return [typeof message === 'string' ? message : '', ...more].filter((part) => part !== '').join('; ')
}

/**
 * 403 and 429 are how GitHub limits the rate, but 403 also means that something is not allowed.
 * @param now as this machine has it; the clock of GitHub counts where the answer tells it
 * @returns milliseconds to wait: `retry-after`, else until `x-ratelimit-reset`, else a minute; undefined for no limit
 */
export function rateLimitPause(reply: Reply, now: Date): number | undefined {
  const { status, headers } = reply
  if (status !== 403 && status !== 429) return undefined
  const number = (name: string): number => Number(headers.get(name)?.trim() || Number.NaN)
  const after = number('retry-after') * 1000
  if (Number.isFinite(after)) return Math.max(0, after)
  const reset = number('x-ratelimit-reset') * 1000 - serverTime(reply, now).getTime()
  if (headers.get('x-ratelimit-remaining')?.trim() === '0' && Number.isFinite(reset)) return Math.max(0, reset) + 1000
  const isSecondary = status === 429 || /rate limit|abuse detection/i.test(gitHubMessage(reply))
  return isSecondary ? SECONDARY_PAUSE : undefined
}

/** The clock of the server, to the second; `now` where it does not tell. */
export function serverTime({ headers }: Reply, now: Date): Date {
  const date = Date.parse(headers.get('date') ?? '')
  return Number.isFinite(date) ? new Date(date) : now
}

/** `Link: <…&page=2>; rel="next"`. A link to another place is none: it would be given the token. */
export function nextPage({ headers }: Reply, api: string): string | undefined {
  const link = /<([^>]+)>;[^,]*\brel="next"/.exec(headers.get('link') ?? '')?.[1]
  if (link === undefined || !URL.canParse(link, api)) return undefined
  const url = new URL(link, api)
  return url.origin === new URL(api).origin ? url.href : undefined
}
