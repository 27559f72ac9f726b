/** The flags of `mlops drift`, which has too many for its file. What they mean together is decided in `src/monitor/request.ts`. */
import { Flags } from './command.ts'

const METRICS = ['psi', 'js', 'ks', 'wasserstein', 'chi2', 'linf']

export const driftFlags = {
  current: Flags.string({
    summary:
      'The batch: a file, folder or pattern, - for standard input, or postgres://…; otherwise the prediction log.',
    helpValue: 'DATA',
  }),
  query: Flags.string({ summary: 'The SELECT whose rows are meant, for --current postgres://….', helpValue: 'SQL' }),
  window: Flags.string({
    summary: 'Look at this much of the prediction log, up to now (default: drift.window of mlops.yaml, else 7d).',
    helpValue: 'DURATION',
  }),
  since: Flags.string({
    summary: 'Look at the prediction log from this time on: a date (UTC) or RFC 3339.',
    helpValue: 'TIME',
  }),
  until: Flags.string({ summary: 'The end of the window, itself no part of it.', helpValue: 'TIME' }),
  every: Flags.string({
    summary: 'Check each period of the window by itself, aligned to UTC, and show the trend.',
    helpValue: 'DURATION',
  }),
  against: Flags.string({
    summary:
      'What to compare with: baseline, previous (the window before), @VERSION or @STAGE, or data as for --current.',
    helpValue: 'REFERENCE',
    default: 'baseline',
  }),
  by: Flags.string({
    summary:
      'Look at each value of this column by itself too; with --against previous also segment, user, variant, tags.NAME.',
    helpValue: 'COLUMN',
  }),
  importances: Flags.string({
    summary: 'How much the model listens to each column, as JSON or CSV: decides the order, never a verdict.',
    helpValue: 'FILE',
  }),
  metric: Flags.string({ summary: 'Measure of the difference (default: mlops.yaml, else psi).', options: METRICS }),
  threshold: Flags.string({ summary: 'From which effect on a column drifts.', helpValue: 'NUMBER' }),
  report: Flags.string({
    summary: 'Write a report; its form by its ending: .html, .md, .json, .xml (JUnit), .prom. Repeatable.',
    helpValue: 'FILE',
    multiple: true,
  }),
  alert: Flags.boolean({ summary: 'Tell the channels under notify in mlops.yaml when something is due.' }),
  'fail-on': Flags.string({
    summary: 'inconclusive: exit 3 on drift, 6 when inconclusive; drift: 3 on drift only; never.',
    options: ['inconclusive', 'drift', 'never'],
    default: 'inconclusive',
  }),
  all: Flags.boolean({ summary: 'Check every model that has a version in production.' }),
  stage: Flags.string({ summary: 'With --all: the stage instead of production.', helpValue: 'STAGE' }),
  cron: Flags.boolean({ summary: 'Print a line for crontab that makes this check regularly, and stop.' }),
}
