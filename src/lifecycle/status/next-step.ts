/** Where a version goes next, and the one command for it: decided here for `register`, `status` and every hint. Pure. */

import { versionName } from '../../core/names.ts'
import { dryRunCommand, promotionCommand } from '../../core/next-command.ts'
import type { Outlook } from '../gate/outlook.ts'
import { PRODUCTION } from '../gate/rules.ts'

export interface NextStep {
  readonly command: string
  readonly why: string
}

/**
 * The stage after those a version holds: the configured ones in their order, production last.
 * @returns null for a version that is in production
 */
export function stageAfter(stages: readonly string[], held: readonly string[]): string | null {
  const way = [...stages.filter((stage) => stage !== PRODUCTION), PRODUCTION]
  const furthest = Math.max(-1, ...held.map((stage) => way.indexOf(stage)))
  return way[furthest + 1] ?? null
}

/**
 * @param outlook what its gate will say, as far as that is known
 * @param why what calls for the step, without its version
 * @param approved how many people have approved it ahead of the move
 */
export function stepForward(model: string, version: number, outlook: Outlook, why: string, approved = 0): NextStep {
  const name = versionName(model, version)
  const { stage, verdict, refusal, approvals } = outlook
  switch (verdict) {
    case 'refuses':
      return { command: `mlops model show ${name}`, why: `${why}; the gate of ${stage} refuses it: ${refusal ?? ''}` }
    case 'unknown':
      return { command: dryRunCommand(name, stage), why: `${why}; see whether its gate passes` }
    case 'passes':
      return { command: promotionCommand(name, stage, approvals, approved), why }
  }
}
