/** Ready lines that make a check again and again: for crontab, and for GitHub Actions. Pure text; nothing is installed. */
import { shellWord } from '../core/shell.ts'
import { MINUTE } from '../project/duration.ts'

export interface Schedule {
  /** A line for `crontab -e`. */
  readonly cron: string
  /** The same for a workflow of GitHub Actions. */
  readonly githubActions: string
  /** What to know before using it. */
  readonly notes: readonly string[]
}

export interface ScheduleRequest {
  /** Absolute: node, and the script that it runs. */
  readonly program: readonly string[]
  /** Absolute: where mlops.yaml is. */
  readonly root: string
  /** What is typed after `mlops`: `drift churn-model --window 1d`. */
  readonly words: readonly string[]
  /** Milliseconds between two checks. */
  readonly every: number
  /** Names the log file, and spreads the minute. */
  readonly name: string
}

export function scheduleOf({ program, root, words, every, name }: ScheduleRequest): Schedule {
  const time = cronTime(every, name)
  // In a crontab an unescaped % is a line break of the command's input.
  const quoted = (list: readonly string[]) => list.map(shellWord).join(' ').replaceAll('%', '\\%')
  const log = shellWord(`${root}/.mlops-drift-${name}.log`).replaceAll('%', '\\%')
  const command = ['mlops', ...words].map(shellWord).join(' ')
  return {
    cron: `${time} cd ${quoted([root])} && ${quoted([...program, ...words, '--no-input', '--no-color'])} >> ${log} 2>&1`,
    githubActions: [
      'on:',
      '  schedule:',
      `    - cron: '${time}'`,
      'jobs:',
      '  drift:',
      '    runs-on: ubuntu-latest',
      '    steps:',
      '      - uses: actions/checkout@v4',
      '      # here: install mlops, fetch the store; env: secrets of channels',
      `      - run: ${/[:#'"]/.test(command) ? JSON.stringify(command) : command}`,
    ].join('\n'),
    notes: [
      'cron knows none of your variables: write those that channels need (MLOPS_SLACK_WEBHOOK, MLOPS_SMTP_URL …) as NAME=VALUE lines above it, in a crontab that only you can read',
      'two checks at once do no harm: nothing is locked, and no alert is sent twice',
      'a check that stops running shows in mlops status when mlops.yaml says how often it should: drift: {every: 1d}',
      'GitHub runs schedules late, drops some, and stops them after 60 idle days in public repositories; the times are UTC, those of cron are local',
    ],
  }
}

/** `17 6 * * *`: off the full hour, where everybody's jobs run. */
function cronTime(every: number, name: string): string {
  const spread = [...name].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 59, 7)
  const minutes = Math.max(1, Math.round(every / MINUTE))
  if (minutes < 60) return `*/${minutes} * * * *`
  const hours = Math.round(minutes / 60)
  if (hours === 1) return `${spread} * * * *`
  if (hours < 24) return `${spread} */${hours} * * *`
  return hours % 168 === 0 ? `${spread} 6 * * 1` : `${spread} 6 * * *`
}
