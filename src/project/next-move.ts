/** The command that moves a version on, with as many names as the gate of its stage asks for. Pure. */
import { promotionCommand } from '../core/next-command.ts'
import type { Project } from './config.ts'
import { modelConfig } from './load.ts'

/** @param version `churn-model@3`, or the model alone for its newest version */
export function nextMove(project: Project, model: string, version: string, stage: string): string {
  const { gates } = modelConfig(project, model)
  return promotionCommand(version, stage, Object.hasOwn(gates, stage) ? gates[stage]?.approval : undefined)
}
