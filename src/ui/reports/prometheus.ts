/**
 * A check in Prometheus' text exposition format, for node_exporter's textfile collector: gauges without timestamps
 * (the collector refuses them), families written together, no series twice.
 * Format: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import type { CheckVerdict } from '../../drift/types.ts'
import { asList, type Reported, type ReportedCheck } from './types.ts'
import { isDrifted, plain, VERDICTS } from './words.ts'

type Labels = Readonly<Record<string, string>>

interface Family {
  readonly name: string
  readonly help: string
  readonly samples: (check: ReportedCheck, labels: Labels) => readonly (readonly [Labels, number | null | undefined])[]
}

const CHECK_VERDICTS: readonly CheckVerdict[] = ['drift', 'inconclusive', 'stable']

const perColumn =
  (value: (column: ReportedCheck['columns'][number]) => number | null): Family['samples'] =>
  (check, labels) =>
    check.columns
      .filter(({ verdict }) => verdict !== 'skipped')
      .map((each) => [{ ...labels, column: each.column, metric: each.metric }, value(each)])

const FAMILIES: readonly Family[] = [
  {
    name: 'mlops_drift_verdict',
    help: 'The verdict of the last check: 1 for the one that holds, 0 for the others.',
    samples: ({ verdict }, labels) =>
      CHECK_VERDICTS.map((each) => [{ ...labels, verdict: each }, each === verdict ? 1 : 0]),
  },
  {
    name: 'mlops_drift_columns',
    help: 'Columns of the last check by their verdict.',
    samples: ({ columns }, labels) =>
      VERDICTS.map((verdict) => [{ ...labels, verdict }, columns.filter((each) => each.verdict === verdict).length]),
  },
  {
    name: 'mlops_drift_column_drifted',
    help: 'Whether the column drifts or is broken; absent when there were too few rows to say.',
    samples: ({ columns }, labels) =>
      columns
        .filter(({ verdict }) => verdict !== 'skipped' && verdict !== 'inconclusive')
        .map((each) => [{ ...labels, column: each.column }, isDrifted(each) ? 1 : 0]),
  },
  {
    name: 'mlops_drift_effect',
    help: 'Size of the difference of the column, in its measure.',
    samples: perColumn(({ effect }) => effect),
  },
  {
    name: 'mlops_drift_threshold',
    help: 'The effect from which the column drifts, when it is also beyond noise.',
    samples: perColumn(({ threshold }) => threshold),
  },
  {
    name: 'mlops_drift_noise',
    help: 'The effect that chance alone stays below in 95 of 100 checks of as many rows.',
    samples: perColumn(({ noise }) => noise),
  },
  {
    name: 'mlops_drift_rows',
    help: 'Rows that were compared.',
    samples: ({ current, reference }, labels) => [
      [{ ...labels, side: 'current' }, current.rows],
      [{ ...labels, side: 'reference' }, reference.rows],
    ],
  },
  {
    name: 'mlops_drift_check_timestamp_seconds',
    help: 'When the check was made, in seconds since 1970.',
    samples: ({ time }, labels) => [[labels, Date.parse(time) / 1000]],
  },
  {
    name: 'mlops_drift_window_end_timestamp_seconds',
    help: 'End of the window that was checked, in seconds since 1970.',
    samples: ({ window }, labels) => (window === undefined ? [] : [[labels, Date.parse(window.until) / 1000]]),
  },
  {
    name: 'mlops_drift_segment_drifted',
    help: 'Whether the segment drifts; absent when there were too few rows to say.',
    samples: ({ segments }, labels) =>
      (segments?.results ?? [])
        .filter(({ verdict }) => verdict === 'drift' || verdict === 'stable')
        .map(({ value, kind, verdict }) => [
          { ...labels, by: segments?.column ?? '', segment: kind === 'value' ? value : `(${kind})` },
          verdict === 'drift' ? 1 : 0,
        ]),
  },
  {
    name: 'mlops_health_breach',
    help: 'Whether the bound of errors, latency or volume was broken; absent when it could not be judged.',
    samples: ({ health }, labels) =>
      (health?.findings ?? [])
        .filter(({ verdict }) => verdict !== 'inconclusive')
        .map(({ what, verdict }) => [{ ...labels, what }, verdict === 'breach' ? 1 : 0]),
  },
  {
    name: 'mlops_health_value',
    help: 'Share of failed requests, p95 latency in milliseconds, requests in the window.',
    samples: ({ health }, labels) => (health?.findings ?? []).map(({ what, actual }) => [{ ...labels, what }, actual]),
  },
  {
    name: 'mlops_health_limit',
    help: 'The bound that was applied to the value.',
    samples: ({ health }, labels) => (health?.findings ?? []).map(({ what, limit }) => [{ ...labels, what }, limit]),
  },
  {
    name: 'mlops_quality_value',
    help: 'A metric on the predictions whose label has arrived.',
    samples: ({ quality }, labels) =>
      (quality?.metrics ?? []).map(({ metric, value }) => [{ ...labels, metric }, value]),
  },
  {
    name: 'mlops_quality_reference',
    help: 'The same metric when the version was registered.',
    samples: ({ quality }, labels) =>
      (quality?.metrics ?? []).map(({ metric, reference }) => [{ ...labels, metric }, reference]),
  },
  {
    name: 'mlops_quality_labelled',
    help: 'Predictions of the window that have a label.',
    samples: ({ quality }, labels) => (quality === undefined ? [] : [[labels, quality.labelled]]),
  },
]

export function renderPrometheusReport(reported: Reported): string {
  const checks = asList(reported)
  return FAMILIES.map((family) => renderFamily(family, checks)).join('')
}

function renderFamily({ name, help, samples }: Family, checks: readonly ReportedCheck[]): string {
  const series = new Map<string, string>()
  for (const check of checks) {
    for (const [labels, value] of samples(check, { model: check.model, version: String(check.version) })) {
      const key = labelSet(labels)
      // A series that stands twice makes the collector drop the whole file.
      if (typeof value === 'number' && !Number.isNaN(value) && !series.has(key)) series.set(key, valueText(value))
    }
  }
  if (series.size === 0) return ''
  const lines = [...series].map(([key, value]) => `${name}${key} ${value}\n`)
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join('')}`
}

const labelSet = (labels: Labels): string =>
  `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${labelValue(value)}"`)
    .join(',')}}`

const labelValue = (value: string): string =>
  plain(value).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

const valueText = (value: number): string =>
  value === Number.POSITIVE_INFINITY ? '+Inf' : value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
