/** `mlops init [DIR]`: mlops.yaml, the store and the ignore line, by `src/project/init.ts`. */
import { nameProblem } from '../core/names.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../ui/command.ts'
import { type InitView, renderInit } from '../ui/views/init.ts'

export default class Init extends MlopsCommand {
  static override summary = 'Make a project of this folder: mlops.yaml and the store.'
  static override description =
    'Looks for Python, git, the training script and data, writes a commented mlops.yaml, makes the store (.mlops/) and has git ignore it. Overwrites nothing and can be run again.'
  static override examples = [
    '<%= config.bin %> init',
    '<%= config.bin %> init --yes --name churn-model --target churned',
    '<%= config.bin %> init --remote origin',
    '<%= config.bin %> init services/churn --train "python fit.py"',
  ]
  static override args = {
    dir: Args.string({ description: 'The folder; this one when nothing is said. Made when it is not there.' }),
  }
  static override flags = {
    name: Flags.string({ summary: 'Name of the first model.', helpValue: 'NAME' }),
    train: Flags.string({ summary: 'The command that trains it.', helpValue: 'CMD' }),
    target: Flags.string({ summary: 'The column that the model predicts.', helpValue: 'COL' }),
    remote: Flags.string({
      summary: "Share the store as a branch of this git remote (a name, or an address); in a clone, join the team's.",
      helpValue: 'REMOTE',
    }),
    branch: Flags.string({ summary: 'The branch it is there; mlops-store when nothing is said.', helpValue: 'NAME' }),
    shared: Flags.boolean({ summary: 'A store in which several users of this machine work together.' }),
    'dry-run': Flags.boolean({ summary: 'Show what would be made, and make nothing.' }),
  }

  async execute(): Promise<Outcome<InitView>> {
    const { args, flags } = await this.parse(Init)
    const { session } = this
    const { applyInit, planInit, prepareInit, targetProblem } = await import('../project/init.ts')
    const { facts, project, suggested, ...rest } = await prepareInit(session.ctx, { dir: args.dir, ...flags })

    // With an mlops.yaml there is nothing to ask: it will not be touched. A dry run shows what the defaults would do.
    const ask = project === undefined && !session.yes && !flags['dry-run']
    const model =
      flags.name ??
      (ask
        ? await session.ask({
            question: 'Name of the model?',
            flag: '--name NAME or --yes',
            default: suggested.model,
            problem: nameProblem,
          })
        : suggested.model)
    const train =
      flags.train ??
      (ask && session.interactive
        ? await session.ask({
            question: 'Command that trains it? (empty: not yet)',
            flag: '--train CMD',
            default: suggested.train ?? '',
          })
        : suggested.train)

    const target =
      flags.target ??
      (ask && session.interactive && facts.target === undefined && facts.dataFiles.length > 0
        ? await session.ask({
            question: `Column it predicts, in ${facts.dataFiles[0]}? (empty: skip)`,
            flag: '--target COL',
            default: '',
            problem: (column) => targetProblem(facts, column.trim()),
          })
        : undefined)

    const choices = { model, train: train?.trim() || undefined, target: target?.trim() || undefined }
    const plan = planInit(facts, { ...choices, ...rest, shared: flags.shared }, project)
    const data: InitView = flags['dry-run']
      ? { ...plan, changed: false, dryRun: true }
      : { ...(await applyInit(session.ctx, plan)), dryRun: false }
    return { data, render: (ui) => renderInit(ui, data, session.ctx.cwd) }
  }
}
