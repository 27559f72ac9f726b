/**
 * How the service fared in a window: failed requests, latency, volume. Each is judged as a column is: a difference
 * counts when it is large enough to matter *and* beyond chance; a bound that somebody configured takes the place of the
 * comparison. Pure; which windows are compared is decided in `health-windows.ts`.
 *
 * With no change at all one of the three findings is a `breach` in less than 2 % of windows of any size, and with
 * bounds that the service just keeps too (test/unit/monitor/service-health.test.ts simulates both).
 */

import { binomialAtLeast, binomialAtMost, fisherAtLeast } from '../core/binomial.ts'
import type { HealthFinding, HealthVerdict, ServiceHealth } from '../drift/types.ts'
import type { HealthConfig } from '../project/config.ts'

/** What was counted in one window. */
export interface WindowFigures {
  /** Requests of all versions: a promotion moves traffic between versions and takes none away. */
  readonly volume: number
  /** Variance over mean of the requests per bin of the window: 1 for independent requests, more for bursts and rhythm. */
  readonly dispersion: number
  /** Requests that the version answered, and how many of them failed. */
  readonly requests: number
  readonly errors: number
  /**
   * How many independent requests these say as much as: the rows of one batch share their fate, and those of a sampled
   * log stand for others (design effect; Kish, Survey Sampling, 1965, 8.2 and 11.7). Default: `requests`.
   */
  readonly calls?: number
  readonly latency: {
    readonly count: number
    /** Milliseconds. */
    readonly p95: number
    /** Requests slower than the limit under question; null where nobody counted. */
    readonly slower: number | null
  } | null
}

/** The last traffic before a window without any. */
export interface Silence {
  /** Milliseconds since 1970. */
  readonly since: number
  /** Requests per day in the week up to then. */
  readonly perDay: number
  /** Probability of such a silence if requests came as rarely as before: each at a random time of both spans. */
  readonly chance: number
  /** The service is known to be silent for as long, so this says nothing yet. */
  readonly asBefore: boolean
}

export interface HealthQuestion {
  readonly window: WindowFigures
  /** An earlier window of the same length, for failures and latency; null without one. */
  readonly reference: WindowFigures | null
  /** Which one, as it follows a figure: `in its first 7 days`. Default: `before`. */
  readonly referenceName?: string
  /** Requests of a window of the same length and, where the log goes back that far, of the same days of the week. */
  readonly volumeBefore: number | null
  /** `a week ago`. Default: `before`. */
  readonly volumeName?: string
  /** How many calls of equal size these requests say as much as. Default: as many. */
  readonly callsBefore?: number
  /** Of a window without requests: what was before; null when there never was any. */
  readonly silence?: Silence | null
  readonly bounds: HealthConfig
  /** Which part of the window is over, 0 to 1. */
  readonly over: number
}

/** A difference is beyond chance up to this probability, for each of the three. */
const HEALTH_ALPHA = 0.002
/** Failures matter from twice the share before, and from half a percentage point more. */
const ERRORS_RATIO = 2
const ERRORS_RISE = 0.005
/** Latency matters from half as much again, and from 5 ms more. */
const LATENCY_RATIO = 1.5
const LATENCY_RISE_MS = 5
/** Volume matters when half of it is gone. A rise is told, never alarmed: it is what most services hope for. */
const VOLUME_RATIO = 0.5
/** By definition of the 95th percentile. */
const SLOW_SHARE = 0.05

/** The latency from which a request of the window counts as slow: the bound, else the p95 of the reference. */
export const slowLimit = (bounds: HealthConfig, reference: WindowFigures | null): number | undefined =>
  bounds.maxP95Ms ?? reference?.latency?.p95

export function judgeService(question: HealthQuestion): ServiceHealth {
  const findings = [judgeErrors(question), judgeLatency(question), judgeVolume(question)]
  return { verdict: worst(findings), findings }
}

function worst(findings: readonly HealthFinding[]): HealthVerdict {
  if (findings.some(({ verdict }) => verdict === 'breach')) return 'breach'
  return findings.some(({ verdict }) => verdict === 'ok') ? 'ok' : 'inconclusive'
}

/**
 * With a bound: the exact binomial test of "the share is at most the bound". Else Fisher's exact test against the
 * reference, where the share has at least doubled and risen by half a percentage point.
 */
export function judgeErrors({ window, reference, bounds, referenceName }: HealthQuestion): HealthFinding {
  const { requests: n, errors: k } = window
  const before = reference !== null && reference.requests > 0 ? reference.errors / reference.requests : null
  const bound = bounds.maxErrorRate ?? null
  const found = (verdict: HealthVerdict, limit: number | null, why: string): HealthFinding => ({
    what: 'errors',
    verdict,
    actual: n === 0 ? null : k / n,
    limit,
    reference: before,
    summary: n === 0 ? `failed requests: ${why}` : `failed requests: ${share(k / n)} of ${count(n)}${why}`,
  })
  if (n === 0) return found('inconclusive', bound, 'there was no request')
  const limit = bound ?? (before === null ? null : Math.max(ERRORS_RATIO * before, before + ERRORS_RISE))
  if (limit === null) return found('inconclusive', null, '; there is no earlier window to compare with')
  const against =
    bound === null
      ? ` (${share(before ?? 0)}${size(reference, n)} ${referenceName ?? 'before'})`
      : ` (at most ${share(bound)})`
  const [part, partBefore] = [evidenceOf(window), evidenceOf(reference)]
  const few = n * part * limit < 1 ? '; too few requests to say more' : ''
  const isOver = bound === null ? k / n >= limit : k / n > limit
  if (!isOver) return found(few === '' ? 'ok' : 'inconclusive', limit, `${against}${few}`)
  const chance =
    bound === null && reference !== null
      ? fisherAtLeast(...scaled(k, n, part), ...scaled(reference.errors, reference.requests, partBefore))
      : binomialAtLeast(...scaled(k, n, part), limit)
  return chance <= HEALTH_ALPHA
    ? found('breach', limit, against)
    : found('inconclusive', limit, `${against}${byChance(window, reference, bound)}`)
}

/**
 * A request is slow above the bound, or above the p95 of the reference: by definition one in twenty is. With a bound:
 * the exact binomial test of "at most 5 % are slow". Else the quantile test (Mood 1950; Johnson, Verrill and Moore,
 * Biometrics 43, 1987): Fisher's exact test of the slow ones in both windows. It needs the p95 to have risen by half and
 * by 5 ms as well, and no assumption about the shape of latencies.
 */
export function judgeLatency({ window, reference, bounds, referenceName }: HealthQuestion): HealthFinding {
  const { latency } = window
  const before = reference?.latency ?? null
  const bound = bounds.maxP95Ms ?? null
  const found = (verdict: HealthVerdict, limit: number | null, why: string): HealthFinding => ({
    what: 'latency',
    verdict,
    actual: latency?.p95 ?? null,
    limit,
    reference: before?.p95 ?? null,
    summary: latency === null ? `p95 latency: ${why}` : `p95 latency: ${ms(latency.p95)}${why}`,
  })
  if (latency === null) return found('inconclusive', bound, 'no request says how long it took')
  const limit = bound ?? (before === null ? null : Math.max(LATENCY_RATIO * before.p95, before.p95 + LATENCY_RISE_MS))
  if (limit === null) return found('inconclusive', null, '; there is no earlier window to compare with')
  const against =
    bound === null
      ? ` (${ms(before?.p95 ?? 0)}${size(reference, window.requests)} ${referenceName ?? 'before'})`
      : ` (at most ${ms(bound)})`
  const { count: n, slower } = latency
  const isOver = bound === null ? latency.p95 >= limit : latency.p95 > limit
  const [part, partBefore] = [evidenceOf(window), evidenceOf(reference)]
  const few = n * part * SLOW_SHARE < 1 ? '; too few requests to say more' : ''
  if (!isOver) return found(few === '' ? 'ok' : 'inconclusive', limit, `${against}${few}`)
  if (slower === null) return found('inconclusive', limit, `${against}; slow requests were not counted`)
  const chance =
    bound === null && before !== null
      ? fisherAtLeast(...scaled(slower, n, part), ...slowBefore(before.count, partBefore))
      : binomialAtLeast(...scaled(slower, n, part), SLOW_SHARE)
  return chance <= HEALTH_ALPHA
    ? found('breach', limit, against)
    : found('inconclusive', limit, `${against}${byChance(window, reference, bound)}`)
}

/** The share of the sample size that counts as evidence, at most 1. */
const evidenceOf = (figures: WindowFigures | null): number =>
  figures === null || figures.requests === 0 ? 1 : Math.min(1, (figures.calls ?? figures.requests) / figures.requests)

/** As whole numbers, in favour of "nothing happened". */
function scaled(k: number, n: number, part: number): [k: number, n: number] {
  if (part === 1) return [k, n]
  const size = Math.max(1, Math.round(n * part))
  return [Math.min(size, Math.floor(k * part)), size]
}

function slowBefore(n: number, part: number): [k: number, n: number] {
  const size = Math.max(1, Math.round(n * part))
  return [Math.ceil(SLOW_SHARE * size), size]
}

/** ` of 40`, where so few were asked before that this decides how much can be said. */
const size = (reference: WindowFigures | null, n: number): string =>
  reference !== null && reference.requests < n / 2 ? ` of ${count(reference.requests)}` : ''

/** Says which of both windows it is that has too little in it. */
function byChance(window: WindowFigures, reference: WindowFigures | null, bound: number | null): string {
  const evidence = (figures: WindowFigures) => figures.requests * evidenceOf(figures)
  const isBefore = bound === null && reference !== null && evidence(reference) < evidence(window)
  const small = isBefore ? reference : window
  const calls = Math.max(1, Math.round(evidence(small)))
  const few = small.requests > 2 * calls ? `rows of about ${count(calls)} calls` : 'so few requests'
  return `; that can be chance on ${few}${isBefore ? ' before' : ''}`
}

/**
 * Given both counts, each request fell into either window with the same chance: N ~ Binomial(a + b, 1/2) (Przyborowski
 * and Wilenski, Biometrika 31, 1940). Traffic comes in bursts and rhythms, so both counts are divided by their
 * dispersion first (quasi-Poisson: McCullagh and Nelder, Generalized Linear Models, 1989, 6.2). No request at all where
 * there were some is judged without that, by calls: silence has no burst.
 */
export function judgeVolume({
  window,
  volumeBefore,
  volumeName,
  callsBefore,
  silence,
  bounds,
  over,
}: HealthQuestion): HealthFinding {
  const { volume, dispersion } = window
  const bound = bounds.minRequests ?? null
  const found = (verdict: HealthVerdict, limit: number | null, why: string): HealthFinding => ({
    what: 'volume',
    verdict,
    actual: volume,
    limit,
    reference: volumeBefore,
    summary: volume === 0 ? `no traffic${why}` : `requests: ${count(volume)}${why}`,
  })
  if (bound !== null) {
    const against = ` (at least ${count(bound)})`
    if (volume >= bound) return found('ok', bound, against)
    if (over >= 1) return found('breach', bound, against)
    return volume >= bound * over
      ? found('ok', bound, `${against}, the window is not over`)
      : found('inconclusive', bound, `${against}; the window is not over`)
  }
  if (volume === 0 && silence === null) return found('inconclusive', null, ' yet')
  if (volume === 0 && silence !== undefined && silence !== null && (volumeBefore ?? 0) === 0) {
    const since = ` since ${minute(silence.since)} UTC`
    if (silence.asBefore) return found('ok', null, `${since}, as at such times before`)
    const why = `${since}; ${rate(silence.perDay)} per day before`
    return silence.chance <= HEALTH_ALPHA
      ? found('breach', null, why)
      : found('inconclusive', null, `${why}; that can be chance`)
  }
  if (volumeBefore === null) return found('inconclusive', null, '; there is no earlier window to compare with')
  const limit = VOLUME_RATIO * volumeBefore
  const against =
    volume === 0 && volumeBefore === 0 ? ', as before' : ` (${count(volumeBefore)} ${volumeName ?? 'before'})`
  if (volume > limit || volumeBefore === 0) return found('ok', limit, against)
  const batches = Math.max(1, volumeBefore / Math.max(1, callsBefore ?? volumeBefore))
  const spread = volume === 0 ? batches : Math.max(batches, dispersion)
  const [now, both] = [Math.floor(volume / spread), Math.floor((volume + volumeBefore) / spread)]
  return binomialAtMost(now, both, 0.5) <= HEALTH_ALPHA
    ? found('breach', limit, against)
    : found('inconclusive', limit, `${against}; that can be chance`)
}

/**
 * Variance over mean of the counts per bin, at least 1 (no bin, or one: 1).
 * @param bins of equal length, the empty ones too
 */
export function dispersionOf(bins: readonly number[]): number {
  const mean = bins.reduce((sum, n) => sum + n, 0) / bins.length
  if (bins.length < 2 || mean === 0) return 1
  const variance = bins.reduce((sum, n) => sum + (n - mean) ** 2, 0) / (bins.length - 1)
  return Math.max(1, variance / mean)
}

const minute = (time: number): string => new Date(time).toISOString().slice(0, 16).replace('T', ' ')
const rate = (perDay: number): string => (perDay >= 10 ? count(perDay) : String(Number(perDay.toPrecision(2))))
const count = (n: number): string => Math.round(n).toLocaleString('en-US')

function share(value: number): string {
  const percent = 100 * value
  if (percent === 0) return '0 %'
  return `${percent >= 10 ? percent.toFixed(0) : percent >= 0.1 ? percent.toFixed(1) : percent.toPrecision(1)} %`
}

const ms = (value: number): string => `${value >= 100 ? value.toFixed(0) : Number(value.toPrecision(2))} ms`
