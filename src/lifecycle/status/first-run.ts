/** How a project that has recorded nothing yet makes its first run, as far as its settings say so. */
import type { Project } from '../../project/config.ts'
import { modelConfig } from '../../project/load.ts'

/** The model of a project that has one. */
export function onlyModel({ config }: Project): string | undefined {
  const [only, ...others] = Object.keys(config.models)
  return others.length === 0 ? only : undefined
}

/** How the first run of a model, or of a project's only model, is made. */
export function firstTrack(project: Project, model?: string): string {
  const name = model ?? onlyModel(project)
  const train = (name === undefined ? undefined : modelConfig(project, name).train) ?? 'python train.py'
  return `mlops track${name === undefined ? '' : ` --model ${name}`} -- ${train}`
}
