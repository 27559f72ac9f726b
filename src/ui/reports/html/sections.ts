/** What a check says besides its columns: segments, service health, realised quality, notes, what was compared. */
import type { HealthFinding } from '../../../drift/types.ts'
import type { ReportedCheck } from '../types.ts'
import {
  arrows,
  checkName,
  count,
  figure,
  metricName,
  moment,
  plain,
  plural,
  share,
  sidesOf,
  windowText,
  worstOf,
} from '../words.ts'
import { type Html, html, type Value } from './escape.ts'
import { tag } from './mark.ts'

export function segmentsSection({ segments }: ReportedCheck, title: (text: Value) => Html): Html {
  if (segments === undefined) return html``
  const rows = segments.results.map(
    ({ value, kind, verdict, rows, summary }) =>
      html`<tr><th scope="row"><b class="n">${kind === 'value' ? plain(value, 80) : `(${kind})`}</b><span>${arrows(plain(summary))}</span></th><td class="r">${count(rows)}</td><td>${tag(verdict)}</td></tr>`,
  )
  return html`${title(html`By <span class="n">${plain(segments.column, 80)}</span>`)}<div class="card sec"><table class="rows"><thead><tr><th scope="col">Segment</th><th scope="col" class="r">Rows</th><th scope="col">Verdict</th></tr></thead><tbody>${rows}</tbody></table></div>`
}

export function periodsSection({ periods }: ReportedCheck, title: (text: Value) => Html): Html {
  if (periods === undefined || periods.length === 0) return html``
  const rows = periods
    .toReversed()
    .map(
      (period) =>
        html`<tr><th scope="row"><b>${windowText(period)}</b><span>${[...(period.running ? ['not over'] : []), ...sidesOf(period), arrows(plain(period.summary))].join('; ')}</span></th><td class="r" data-l="rows">${count(period.rows)}</td><td class="r" data-l="× the limit">${figure(period.effect)}</td><td>${tag(worstOf(period))}</td></tr>`,
    )
  return html`${title(html`Periods <small>newest first; this page is about the newest that is over</small>`)}<div class="card sec"><table class="rows lines"><thead><tr><th scope="col">Period</th><th scope="col" class="r">Rows</th><th scope="col" class="r">Effect in limits</th><th scope="col">Verdict</th></tr></thead><tbody>${rows}</tbody></table></div>`
}

const WHAT = { errors: 'Failed requests', latency: 'Latency, p95', volume: 'Requests' } as const

export function healthSection({ health }: ReportedCheck, title: (text: Value) => Html): Html {
  if (health === undefined) return html``
  const rows = health.findings.map(
    (finding) =>
      html`<tr><th scope="row"><b>${WHAT[finding.what]}</b><span>${arrows(plain(finding.summary))}</span></th><td class="r">${healthFigure(finding, finding.actual)}</td><td class="r wide">${healthFigure(finding, finding.limit)}</td><td class="r wide">${healthFigure(finding, finding.reference)}</td><td>${tag(finding.verdict)}</td></tr>`,
  )
  return html`${title('Service health')}<div class="card sec"><table class="rows"><thead><tr><th scope="col">Figure</th><th scope="col" class="r">Now</th><th scope="col" class="r wide">Bound</th><th scope="col" class="r wide">Before</th><th scope="col">Verdict</th></tr></thead><tbody>${rows}</tbody></table></div>`
}

function healthFigure({ what }: HealthFinding, value: number | null): string {
  if (value === null) return '–'
  if (what === 'errors') return share(value)
  return what === 'latency' ? `${figure(value)} ms` : count(Math.round(value))
}

export function qualitySection({ quality }: ReportedCheck, title: (text: Value) => Html): Html {
  if (quality === undefined) return html``
  const rows = quality.metrics.map(
    ({ metric, value, reference, verdict }) =>
      html`<tr><th scope="row"><b class="n">${plain(metric, 80)}</b></th><td class="r">${figure(value)}</td><td class="r">${figure(reference)}</td><td>${tag(verdict)}</td></tr>`,
  )
  const labels = `${count(quality.labelled)} of ${plural(quality.rows, 'prediction')} have a label${quality.rows > 0 ? ` (${share(quality.labelled / quality.rows)})` : ''}.`
  return html`${title('Realised quality')}<div class="card sec"><p>${arrows(plain(quality.summary))} <span class="soft">${labels}</span></p>${rows.length > 0 && html`<table class="rows"><thead><tr><th scope="col">Metric</th><th scope="col" class="r">Now</th><th scope="col" class="r">When registered</th><th scope="col">Verdict</th></tr></thead><tbody>${rows}</tbody></table>`}</div>`
}

export const notesSection = ({ notes }: ReportedCheck, title: (text: Value) => Html): Html =>
  notes.length === 0
    ? html``
    : html`${title('Notes')}<ul class="card sec notes">${notes.map((note) => html`<li>${arrows(plain(note, 600))}</li>`)}</ul>`

export function identitySection(check: ReportedCheck, title: (text: Value) => Html): Html {
  const { current, reference, window } = check
  const digest = (value: string): Html => html`<code>sha256:${plain(value)}</code>`
  const rows: readonly (readonly [string, Value])[] = [
    ['Version', checkName(check)],
    [
      'Rows checked',
      html`<span class="n">${plain(current.source)}</span>, ${plural(current.rows, 'row')}, ${plural(current.columns, 'column')}`,
    ],
    ['Digest of the rows', digest(current.sha256)],
    ...(window === undefined ? [] : [['Window', windowText(window)] as const]),
    ...((check.leftOut ?? 0) > 0
      ? [['Left out', `${plural(check.leftOut ?? 0, 'row')} that other versions answered`] as const]
      : []),
    ['Compared with', html`<span class="n">${plain(reference.name)}</span>, ${plural(reference.rows, 'row')}`],
    ['Digest of its profile', digest(reference.profile)],
    ['Checked at', moment(check.time)],
    ['Measure', metricName(check.metric)],
    ['Configuration', digest(check.configuration)],
  ]
  return html`${title('What was compared')}<dl class="card ident">${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`
}

export const howToRead: Html = html`<details class="card fold read"><summary>How to read this page</summary><div><p><b>Effect.</b> How much the distribution of a column changed, as one number (PSI unless another measure was configured). 0 is no change at all.</p><p><b>Limit.</b> From this effect on a change matters in practice. It is set in mlops.yaml, and mlops drift calibrate proposes one from your own data.</p><p><b>Noise.</b> With this few rows, chance alone makes an effect up to this large in 95 of 100 checks although nothing changed.</p><p><b>Drift</b> needs both: an effect of at least the limit, and a difference that chance does not explain. <b>Negligible</b> is real but below the limit. <b>Inconclusive</b> means that noise reaches the limit, so that more rows are needed to say anything. <b>Broken</b> columns are missing, empty or of another type.</p></div></details>`
