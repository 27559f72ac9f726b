/** `mlops scaffold prefect`: retraining on a schedule of Prefect's. The text is in templates/prefect. */
import type { Generator } from '../generators.ts'
import { renderTemplates } from '../render.ts'
import { retrainSchedule } from '../schedule.ts'

export const generator: Generator = {
  kind: 'prefect',
  folder: 'schedule/prefect',
  async generate(world, request) {
    const { answers, warnings, ...values } = await retrainSchedule(world, request)
    const files = await renderTemplates('prefect', { values })
    return {
      kind: 'prefect',
      answers,
      files,
      next: [
        `python ${values.place}/mlops_retrain.py MODEL    # once, now`,
        `python ${values.place}/mlops_retrain.py    # serves every schedule until it is stopped`,
      ],
      warnings,
    }
  },
}
