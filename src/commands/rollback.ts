/** `mlops rollback`: moves a stage back to the version that held it before. */
import { given } from '../core/given.ts'
import { assertName, parseVersion } from '../core/names.ts'
import { unfitRefused } from '../lifecycle/rollback/refusal.ts'
import { type RollbackResult, rollback } from '../lifecycle/rollback/rollback.ts'
import { Args, changeFlags, Flags, MlopsCommand, type Outcome } from '../ui/command.ts'
import { renderRollback, renderUnfit } from '../ui/views/rollback.ts'
import { NO_WAIT, WAIT_MS } from '../ui/wait.ts'

export type Result = RollbackResult

export default class Rollback extends MlopsCommand {
  static override summary = 'Move a stage back to the version that held it before.'
  static override description =
    "Promote pushes, rollback pops: after 1, 2, 3 it goes back to 2, then to 1. While a version is rolled out it ends that rollout, and no more: all traffic goes to the version that holds the stage. The bytes are hashed again first; damaged ones refuse. Today's data are compared with the old version for at most ten seconds: --current, or else the prediction log; where labels have come its evaluation command is run on them. What does not fit asks on a terminal and needs --yes elsewhere: a script that must go back whatever the data say passes --yes."
  static override examples = [
    '<%= config.bin %> rollback churn-model --reason "odd scores since noon"',
    '<%= config.bin %> rollback churn-model --yes --reason "incident 4711"',
    '<%= config.bin %> rollback churn-model --to 1 --current today.csv',
  ]
  static override args = { model: Args.string({ description: 'The model.', required: true }) }
  static override flags = {
    stage: Flags.string({ summary: 'The stage to move.', helpValue: 'STAGE', default: 'production' }),
    to: Flags.string({ summary: 'An earlier holder of the stage on the way back, not forward.', helpValue: 'VERSION' }),
    reason: Flags.string({ summary: 'Why; kept in the history.', helpValue: 'TEXT' }),
    current: Flags.string({
      summary:
        "Today's data, to see whether the old version fits it: a file, folder or pattern, - or postgres://…?table=NAME; otherwise the prediction log.",
      helpValue: 'DATA',
    }),
    'no-verify': Flags.boolean({ summary: 'Do not look whether the old version fits; its bytes are verified always.' }),
    'no-wait': NO_WAIT,
    'dry-run': Flags.boolean({ summary: 'Show what would be done; change nothing.' }),
    ...changeFlags,
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(Rollback)
    const { session } = this
    assertName('model', args.model)
    const to = flags.to === undefined ? undefined : parseVersion(flags.to, args.model)
    const { project, unknown } = await this.project(flags.store)
    const write = !flags['dry-run'] || flags.current !== undefined
    const store = await session.openStore({ write, ...(unknown === undefined ? {} : { root: project.storeRoot }) })
    const result = await rollback(session.ctx, project, store, {
      model: args.model,
      stage: flags.stage,
      verify: !flags['no-verify'],
      dryRun: flags['dry-run'],
      // Of the process: starting it takes longer than a rollback does.
      started: new Date(performance.timeOrigin),
      ...given({ to, reason: flags.reason, current: flags.current, wait: flags['no-wait'] ? undefined : WAIT_MS }),
      ...given({ idempotencyKey: session.idempotencyKey, unknown }),
      confirmUnfit: (plan, fit) => {
        if (!session.yes && !session.interactive) throw unfitRefused(plan, fit, flags)
        if (!session.yes) session.note(renderUnfit(session.ui, plan, fit))
        return session.confirm({
          question: `Go back to ${plan.model}@${plan.version} all the same?`,
          flag: '--yes',
        })
      },
    })
    return { data: result, render: (ui) => renderRollback(ui, result) }
  }

  /** A mistake in mlops.yaml must not hold up a rollback: it needs the store, and says that it knew no more. */
  private async project(store: string | undefined) {
    const { ctx } = this.session
    try {
      return { project: await this.session.loadProject(), unknown: undefined }
    } catch (error) {
      const { rescueProject } = await import('../project/rescue.ts')
      const { project, problem } = rescueProject({ cwd: ctx.cwd, env: ctx.env, store }, error)
      ctx.warn(
        `${problem}. A rollback goes on without mlops.yaml, in the store ${project.storeRoot}; nothing else is known of the model.`,
      )
      return { project, unknown: `mlops.yaml cannot be read: ${problem}` }
    }
  }
}
