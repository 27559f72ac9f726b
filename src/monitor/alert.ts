/**
 * From a check to its alerts: one of each kind of trouble, never one per column. Pure; whether one is due is decided in
 * `src/notify/`, which checks came before is collected in `alerting.ts`.
 */
import { versionName } from '../core/names.ts'
import type { CheckResult, HealthFinding } from '../drift/types.ts'
import { fingerprintOf } from '../notify/fingerprint.ts'
import type { Alert } from '../notify/types.ts'
import { nextOf } from './next.ts'

export type CheckKind = 'drift' | 'health' | 'silence' | 'quality'
const CHECK_KINDS: readonly CheckKind[] = ['drift', 'health', 'silence', 'quality']

/** What stands behind the version, for people. */
export interface AlertFacts {
  readonly stage: string | null
  readonly evidence: Alert['evidence']
  /** The page of the CI run. */
  readonly url?: string
}

/** Columns and segments that a message names. */
const MOST_FINDINGS = 12

/** True: there is trouble. False: there is none. Null: this check cannot say. */
export function troubleOf(check: Pick<CheckResult, 'verdict' | 'health' | 'quality'>, kind: CheckKind): boolean | null {
  switch (kind) {
    case 'drift':
      return check.verdict === 'inconclusive' ? null : check.verdict === 'drift'
    case 'silence': {
      const volume = check.health?.findings.find(({ what }) => what === 'volume')
      if (volume === undefined || volume.actual === null) return null
      if (volume.actual > 0) return false
      return volume.verdict === 'breach' ? true : null
    }
    case 'health':
      return fromVerdicts(serviceFindings(check.health?.findings ?? []).map(({ verdict }) => verdict))
    case 'quality':
      return fromVerdicts(check.quality === undefined ? [] : [check.quality.verdict])
  }
}

function fromVerdicts(verdicts: readonly HealthFinding['verdict'][]): boolean | null {
  if (verdicts.includes('breach')) return true
  return verdicts.includes('ok') && !verdicts.includes('inconclusive') ? false : null
}

/** No traffic at all is an alert of its own, and says nothing about failures. */
const serviceFindings = (findings: readonly HealthFinding[]): readonly HealthFinding[] =>
  findings.some(({ what, actual }) => what === 'volume' && actual === 0)
    ? []
    : findings.filter(({ actual, limit, verdict }) => verdict === 'breach' || (actual !== null && limit !== null))

/** The alerts that a check could send: firing where there is trouble, recovered where there is none any more. */
export function alertsOf(check: CheckResult, facts: AlertFacts): Alert[] {
  return CHECK_KINDS.flatMap((kind) => {
    const trouble = troubleOf(check, kind)
    return trouble === null ? [] : [alertOf(check, kind, trouble, facts)]
  })
}

/**
 * Of the kinds that this check cannot speak of: never sent as they are, but an earlier message of the same fingerprint
 * may not have reached everybody, and is what is known last.
 */
export function silentAlertsOf(check: CheckResult, facts: AlertFacts): Alert[] {
  const kinds = CHECK_KINDS.filter((kind) => troubleOf(check, kind) === null)
  return kinds.map((kind) => ({ ...alertOf(check, kind, false, facts), title: 'nothing can be said' }))
}

function alertOf(check: CheckResult, kind: CheckKind, isTrouble: boolean, facts: AlertFacts): Alert {
  const { model, version, time } = check
  const { stage, url } = facts
  const where = `${versionName(model, version)}${stage === null ? '' : ` in ${stage}`}`
  const { title, summary, findings } = isTrouble ? firing(check, kind) : recovered(check, kind)
  return {
    model,
    stage,
    version,
    kind,
    state: isTrouble ? 'firing' : 'recovered',
    fingerprint: fingerprintOf(model, stage, kind),
    title: `${where}: ${title}`,
    summary,
    findings,
    // As far as this check knows; the earlier ones are looked through when it is sent.
    since: check.window?.since ?? time,
    time,
    evidence: facts.evidence,
    next: isTrouble ? nextAfter(check, kind) : `mlops status ${model}`,
    ...(url === undefined ? {} : { url }),
  }
}

type Words = Pick<Alert, 'title' | 'summary' | 'findings'>

function firing(check: CheckResult, kind: CheckKind): Words {
  const lookedAt = `Looked at ${check.current.source} (${rows(check.current.rows)}).`
  switch (kind) {
    case 'drift':
      return driftWords(check, lookedAt)
    case 'silence': {
      const volume = check.health?.findings.find(({ what }) => what === 'volume')
      return {
        title: 'no traffic',
        summary: `${lookedAt} Nobody asks the model, or what it answers is not logged.`,
        findings: volume === undefined ? [] : [volume.summary],
      }
    }
    case 'health': {
      const bad = serviceFindings(check.health?.findings ?? []).filter(({ verdict }) => verdict === 'breach')
      return {
        title: bad.map(({ summary }) => summary).join('; '),
        summary: lookedAt,
        findings: bad.map(({ summary }) => summary),
      }
    }
    case 'quality': {
      const { quality } = check
      const bad = quality?.metrics.filter(({ verdict }) => verdict === 'breach') ?? []
      const found = bad.map(
        ({ metric, value, reference }) =>
          `${metric} ${figure(value)}${reference === null ? '' : `, ${figure(reference)} when registered`}`,
      )
      return { title: found.join('; '), summary: `${quality?.summary ?? ''}. ${lookedAt}`, findings: found }
    }
  }
}

function driftWords(check: CheckResult, lookedAt: string): Words {
  const bad = check.columns.filter(({ verdict }) => verdict === 'drift' || verdict === 'broken')
  const compared = check.columns.filter(({ verdict }) => verdict !== 'skipped')
  const segments = (check.segments?.results ?? []).filter(({ verdict }) => verdict === 'drift')
  const by = check.segments?.column ?? ''
  const title =
    bad.length > 0
      ? `${bad.length} of ${compared.length} column${compared.length === 1 ? '' : 's'} drifted`
      : `drift in ${segments.length} segment${segments.length === 1 ? '' : 's'} of ${by}`
  const found = [
    ...bad.map(({ summary, causes }) => [summary, ...causes.filter((cause) => !summary.includes(cause))].join('; ')),
    ...segments.map(({ value, summary }) => `${by} = ${value}: ${summary}`),
  ]
  return {
    title,
    summary: `${lookedAt} Compared with ${check.reference.name} (${rows(check.reference.rows)}).`,
    findings: shortened(found),
  }
}

function recovered(check: CheckResult, kind: CheckKind): Words {
  const titles = {
    drift: 'the drift is over',
    health: 'the service is well again',
    silence: 'there is traffic again',
    quality: 'the quality is as it was',
  }
  const summaries = {
    drift: check.summary,
    health: check.health?.findings.map(({ summary }) => summary).join('; ') ?? '',
    silence: check.health?.findings.find(({ what }) => what === 'volume')?.summary ?? '',
    quality: check.quality?.summary ?? '',
  }
  return { title: titles[kind], summary: summaries[kind], findings: [] }
}

function nextAfter(check: CheckResult, kind: CheckKind): string {
  if (kind === 'drift') return nextOf(check)
  const { model, window } = check
  const span = window === undefined ? '' : ` --since ${window.since} --until ${window.until}`
  return kind === 'quality'
    ? `mlops retrain ${model} --reason "quality fell"`
    : `mlops predictions stats ${model}${span}`
}

function shortened(findings: readonly string[]): string[] {
  const more = findings.length - MOST_FINDINGS
  return more <= 0 ? [...findings] : [...findings.slice(0, MOST_FINDINGS), `and ${more} more`]
}

const rows = (count: number): string => `${count.toLocaleString('en-US')} row${count === 1 ? '' : 's'}`
const figure = (value: number): string => String(Number(value.toPrecision(3)))
