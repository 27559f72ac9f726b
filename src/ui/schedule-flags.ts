/** What `mlops scaffold cron`, `airflow` and `prefect` are asked alike: which models, and when. */
import { Args, Flags } from './command.ts'
import { givenOptions, type ScaffoldFlagValues, scaffoldFlags, scaffoldWishes } from './scaffold-flags.ts'

export const scheduledModels = {
  model: Args.string({ description: 'The models; otherwise all of mlops.yaml.', multiple: true }),
}

export const scheduleFlags = {
  ...scaffoldFlags,
  schedule: Flags.string({
    summary: 'hourly, daily (the default), weekly, or five fields of cron.',
    helpValue: 'WHEN',
  }),
}

/** @param args oclif types several words of one argument as one */
export function scheduleWishes(
  args: { readonly model: unknown },
  flags: ScaffoldFlagValues & { readonly schedule?: string | undefined },
) {
  const models = args.model as readonly string[] | undefined
  const options = givenOptions<string | readonly string[]>({ models, schedule: flags.schedule })
  return { ...scaffoldWishes(flags), options }
}
