/** `mlops promote`: moves a stage to a version, behind its gate and a person's approval. */
import { resolve } from 'node:path'
import { given } from '../core/given.ts'
import { parseModelRef } from '../core/names.ts'
import { readProposal } from '../lifecycle/gate/proposal.ts'
import { type PromoteResult, promote } from '../lifecycle/promote/promote.ts'
import { readSteps } from '../lifecycle/rollouts/running.ts'
import { loadProject } from '../project/load.ts'
import { Args, changeFlags, Flags, MlopsCommand, type Outcome } from '../ui/command.ts'
import { promoteFlags } from '../ui/promote-flags.ts'
import { approvalQuestion } from '../ui/views/ask-approval.ts'
import { renderPromotion } from '../ui/views/promote.ts'
import { NO_WAIT, WAIT_MS } from '../ui/wait.ts'

export type Result = PromoteResult

export default class Promote extends MlopsCommand {
  static override summary = 'Move a stage to a version, behind its gate.'
  static override description =
    'The gate of mlops.yaml is judged, every byte of the version is hashed again, then the stage moves. Production always needs a named approval: given here, asked for on a terminal, or given ahead with mlops approve. --yes never is one.'
  static override examples = [
    '<%= config.bin %> promote churn-model@3 --to staging',
    '<%= config.bin %> promote churn-model@staging --to production --approve ada --reason "better on June data"',
    '<%= config.bin %> promote churn-model@3 --to production --dry-run',
    '<%= config.bin %> promote churn-model@4 --to production --rollout 5,25,50,100 --approve ada',
    '<%= config.bin %> promote churn-model@4 --to production --approve ada --proposal promotions/churn-model.production.json',
  ]
  static override args = {
    model: Args.string({
      description: 'MODEL@VERSION or MODEL@STAGE; MODEL alone is its newest version.',
      required: true,
    }),
  }
  static override flags = {
    ...promoteFlags,
    'no-wait': NO_WAIT,
    'dry-run': Flags.boolean({ summary: 'Show the plan and the verdict of the gate; change nothing.' }),
    ...changeFlags,
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(Promote)
    const { session } = this
    const ref = parseModelRef(args.model)
    const [project, store] = await Promise.all([session.loadProject(), session.openStore({ write: !flags['dry-run'] })])
    const proposal =
      flags.proposal === undefined ? undefined : await readProposal(resolve(session.ctx.cwd, flags.proposal))
    const question = approvalQuestion(session, flags.reason !== undefined)
    const result = await promote(session.ctx, project, store, {
      ref,
      stage: flags.to,
      approve: flags.approve ?? [],
      dryRun: flags['dry-run'],
      reread: () => loadProject({ cwd: session.ctx.cwd, env: session.ctx.env, store: project.storeRoot }),
      ...given({
        reason: flags.reason,
        test: flags.test,
        proposal,
        idempotencyKey: session.idempotencyKey,
        rollout: flags.rollout === undefined ? undefined : readSteps(flags.rollout),
        wait: flags['no-wait'] ? undefined : WAIT_MS,
      }),
      ...question.asking,
    })
    return {
      data: result,
      render: (ui) => renderPromotion(ui, result, question.wasShown()),
      exit: result.passes ? 'ok' : 'no',
    }
  }
}
