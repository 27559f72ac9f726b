/** What somebody who has read a trace types next. Pure. */
import { versionName } from '../../core/names.ts'
import { DAY } from '../../project/duration.ts'
import type { Trace } from './types.ts'

export function nextCommands({ model, prediction, version, checks }: Omit<Trace, 'next'>): Trace['next'] {
  if (version === null) return [{ command: `mlops model history ${model}`, why: 'which versions this store knows' }]
  const name = versionName(model, version.version)
  const { run } = version
  const date = prediction.time.slice(0, 10)
  const after = new Date(Date.parse(`${date}T00:00:00Z`) + DAY).toISOString().slice(0, 10)
  return [
    ...(checks.length > 0
      ? []
      : [{ command: `mlops drift ${name} --since ${date} --until ${after}`, why: 'no check has looked at that time' }]),
    ...(run === null
      ? []
      : [
          { command: `mlops run show ${run.id}`, why: 'everything recorded of the training' },
          { command: `mlops run reproduce ${run.id}`, why: 'train it again and compare' },
        ]),
    { command: `mlops model verify ${name}`, why: 'hash every byte of the version' },
    ...(version.stages.includes('production')
      ? [{ command: `mlops rollback ${model} --reason "…"`, why: 'it is in production now' }]
      : []),
  ]
}
