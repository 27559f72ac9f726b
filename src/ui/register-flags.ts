/** The flags of `mlops register`, which has too many for its file. What they mean is decided in `src/lifecycle/register/register.ts`. */
import { Flags } from './command.ts'

export const registerFlags = {
  run: Flags.string({ summary: 'The run that made it: an id, @last, @best:METRIC.', helpValue: 'RUN' }),
  artifact: Flags.string({
    summary: 'A file, folder or pattern; with --run, which of its artifacts.',
    helpValue: 'PATH',
    multiple: true,
  }),
  baseline: Flags.string({
    summary:
      'What it was trained on: a file, folder or pattern, - for standard input, or postgres://…?table=NAME; the train data of the run by default.',
    helpValue: 'DATA',
  }),
  'no-baseline': Flags.boolean({ summary: 'Register without a baseline.', exclusive: ['baseline'] }),
  target: Flags.string({ summary: 'Column that holds the truth.', helpValue: 'COL' }),
  prediction: Flags.string({
    summary: "Column of the baseline that holds the model's output: what logged answers are compared with.",
    helpValue: 'COL',
  }),
  'carry-over': Flags.boolean({
    summary: 'Take target and prediction from the version in production where neither flags nor mlops.yaml say them.',
  }),
  test: Flags.string({
    summary: 'The held-out rows the metrics were measured on, a file or folder; hashed, not kept.',
    helpValue: 'PATH',
  }),
  'test-predictions': Flags.string({
    summary: 'The answers on the held-out rows beside the truth; what the script logged with log_test by default.',
    helpValue: 'FILE',
  }),
  examples: Flags.string({
    summary:
      'Inputs with the outputs they must give: JSON lines {"features": {…}, "output": …}, also .gz; what the script logged with log_examples by default.',
    helpValue: 'FILE',
  }),
  evaluate: Flags.string({ summary: 'Command that measures a version on data.', helpValue: "'CMD {model} {data}'" }),
  metric: Flags.string({ summary: 'A metric; overrides that of the run.', helpValue: 'K=V', multiple: true }),
  param: Flags.string({ summary: 'A parameter; overrides that of the run.', helpValue: 'K=V', multiple: true }),
  tag: Flags.string({ summary: 'A tag of the version.', helpValue: 'TAG', multiple: true }),
  stage: Flags.string({ summary: 'Then move this stage to it, through its gate.', helpValue: 'STAGE' }),
  message: Flags.string({ char: 'm', summary: 'What is new; kept in the history.', helpValue: 'TEXT' }),
  force: Flags.boolean({ summary: 'Register a run though it failed or has not ended.' }),
}
