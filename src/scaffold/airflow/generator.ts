/** `mlops scaffold airflow`: retraining on a schedule of Airflow's. The text is in templates/airflow. */
import type { Generator } from '../generators.ts'
import { renderTemplates } from '../render.ts'
import { retrainSchedule } from '../schedule.ts'

export const generator: Generator = {
  kind: 'airflow',
  folder: 'schedule/airflow',
  async generate(world, request) {
    const { answers, warnings, ...values } = await retrainSchedule(world, request)
    const files = await renderTemplates('airflow', { values })
    return {
      kind: 'airflow',
      answers,
      files,
      next: [
        `MLOPS_PROJECT=. python ${values.place}/mlops_retrain.py    # is it read?`,
        `cp ${values.place}/mlops_retrain.py "$AIRFLOW_HOME/dags/"    # and set MLOPS_PROJECT for its workers`,
      ],
      warnings,
    }
  },
}
