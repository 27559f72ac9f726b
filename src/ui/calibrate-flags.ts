/** The flags of `mlops drift calibrate`. What they mean together is decided in `src/monitor/`. */
import { Flags } from './command.ts'

export const calibrateFlags = {
  data: Flags.string({
    summary: 'Data known to be fine: a file, a folder, a pattern, - or postgres://… (default: the training data).',
    helpValue: 'DATA',
  }),
  query: Flags.string({ summary: 'The SELECT whose rows are meant, for --data postgres://….', helpValue: 'SQL' }),
  window: Flags.string({
    summary: 'Take periods of the prediction log instead: this much, up to now (default: 90d).',
    helpValue: 'DURATION',
  }),
  since: Flags.string({ summary: 'Take periods of the prediction log from this time on.', helpValue: 'TIME' }),
  until: Flags.string({ summary: 'The end of these periods, itself no part of them.', helpValue: 'TIME' }),
  every: Flags.string({
    summary: 'The length of a period (default: drift.window of mlops.yaml, else 7d).',
    helpValue: 'DURATION',
  }),
  rows: Flags.integer({
    summary: 'Rows of a chunk (default: as many as the last windows of the log, or the last checks, had).',
    helpValue: 'N',
    min: 10,
  }),
  chunks: Flags.integer({
    summary: 'At most so many chunks, spread evenly over the data (default: 200).',
    helpValue: 'K',
    min: 1,
    max: 2000,
  }),
  shuffle: Flags.boolean({ summary: 'Draw the rows of a chunk at random: sampling noise alone, without seasons.' }),
  seed: Flags.integer({ summary: 'With --shuffle: another draw.', helpValue: 'N', min: 1, dependsOn: ['shuffle'] }),
  'false-alarms': Flags.string({
    summary: 'The promise: at most this share of checks fires on data that is fine.',
    helpValue: 'SHARE',
    default: '0.05',
  }),
  tighten: Flags.boolean({ summary: 'Propose lower thresholds too, as low as noise allows.' }),
  write: Flags.boolean({ summary: 'Write the proposed thresholds to mlops.yaml.' }),
}
