/** `mlops scaffold cron`: a script that retrains, and the lines that crontab needs. The texts are in templates/cron. */
import { join } from 'node:path'
import type { Generator } from '../generators.ts'
import { renderTemplates } from '../render.ts'
import { retrainSchedule } from '../schedule.ts'

export const generator: Generator = {
  kind: 'cron',
  folder: 'schedule/cron',
  async generate(world, request) {
    const { models, project, place, answers, warnings } = await retrainSchedule(world, request)
    // The lines name this machine's folders, so they are written once and then a person's own.
    const values = { models, project, script: join(request.folder, 'retrain.sh') }
    const files = await renderTemplates('cron', { values, yours: ['crontab'] })
    return {
      kind: 'cron',
      answers,
      files,
      next: [`${place}/retrain.sh    # try it`, `crontab -e    # and add the lines of ${place}/crontab`],
      warnings,
    }
  },
}
