/** `--cron`: the line for this very check. How a line looks is in `cron.ts`. */
import { realpathSync } from 'node:fs'
import type { Context } from '../core/context.ts'
import { usage } from '../core/errors.ts'
import { redactText } from '../core/redact.ts'
import type { Project } from '../project/config.ts'
import { DAY, parseDuration } from '../project/duration.ts'
import { modelConfig } from '../project/load.ts'
import { type Schedule, scheduleOf } from './cron.ts'
import type { DriftQuestion } from './request.ts'

/**
 * @param typed the program that runs now, and the words after `drift`
 * @throws usage `CRON_SECRET`: a crontab is no place for a password
 */
export function driftSchedule(
  ctx: Context,
  project: Project,
  question: DriftQuestion,
  typed: { readonly program: readonly string[]; readonly words: readonly string[] },
): Schedule {
  const words = typed.words.filter((word) => word !== '--cron' && word !== '--json')
  const secret = words.find((word) => redactText(word) !== word)
  if (secret !== undefined) {
    throw usage({
      code: 'CRON_SECRET',
      message: `A line for crontab must not hold a password: ${redactText(secret)}.`,
      hint: 'Leave it out of the address and set PGPASSWORD above the line, or use ~/.pgpass',
    })
  }
  const model = question.kind === 'model' ? question.ref.model : undefined
  const configured = model === undefined ? everyOfFleet(project) : modelConfig(project, model).drift.every
  const length = question.wishes.every ?? parseDuration(configured ?? question.wishes.request.window.window ?? '1d')
  // The environment of cron has no MLOPS_STORE.
  const store = ctx.env.MLOPS_STORE && !words.includes('--store') ? ['--store', project.storeRoot] : []
  const schedule = scheduleOf({
    program: typed.program.map(real),
    root: ctx.cwd,
    words: ['drift', ...words, ...store],
    every: length ?? DAY,
    name: model ?? 'all',
  })
  return question.wishes.alert
    ? schedule
    : { ...schedule, notes: ['without --alert nobody is told: add it before --cron', ...schedule.notes] }
}

/** The most frequent of what the models ask for. */
function everyOfFleet({ config: { models } }: Project): string | undefined {
  const wished = Object.values(models).flatMap(({ drift }) => drift.every ?? [])
  return wished.sort((a, b) => (parseDuration(a) ?? 0) - (parseDuration(b) ?? 0))[0]
}

/** Also through the link that npm puts on the PATH: an upgrade moves what it points to, so only node is resolved. */
function real(path: string, index: number): string {
  try {
    return index === 0 ? realpathSync(path) : path
  } catch {
    return path
  }
}
