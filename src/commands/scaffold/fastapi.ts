/** `mlops scaffold fastapi`: a service for a model, as code of the team's own. */
import { exitOfScaffold, type ScaffoldResult, scaffold } from '../../scaffold/scaffold.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { givenOptions, scaffoldFlags, scaffoldWishes } from '../../ui/scaffold-flags.ts'
import { renderScaffold } from '../../ui/views/scaffold.ts'

export type Result = ScaffoldResult

export default class ScaffoldFastapi extends MlopsCommand {
  static override summary = 'Write a FastAPI service for a model, or bring one up to date.'
  static override description =
    'The code is yours: about ten readable files of Python, typed by what the version was trained on, with locked requirements. Run it again when the model or mlops changed: what you edited is merged, what you deleted stays deleted, and a conflict writes nothing and exits 5.'
  static override examples = [
    '<%= config.bin %> scaffold fastapi churn-model',
    '<%= config.bin %> scaffold fastapi --diff',
    '<%= config.bin %> scaffold fastapi churn-model@3 --dir services/churn --stage staging',
  ]
  static override args = {
    model: Args.string({
      description: 'MODEL[@VERSION|@STAGE] the service is made from; as before, when it was scaffolded already.',
    }),
  }
  static override flags = {
    ...scaffoldFlags,
    stage: Flags.string({ summary: 'The stage the service follows (default: production).', helpValue: 'STAGE' }),
    artifact: Flags.string({ summary: 'Which of its files is the model.', helpValue: 'PATH' }),
    flavour: Flags.string({
      summary: 'What the model file is, where its bytes do not tell.',
      options: ['sklearn', 'xgboost', 'lightgbm', 'torch', 'onnx', 'callable'],
    }),
    with: Flags.string({
      summary: 'A package the service needs beside, with bounds if you like.',
      helpValue: 'PKG',
      multiple: true,
    }),
    output: Flags.string({
      summary: 'What it answers, where nothing recorded tells.',
      options: ['probability', 'class', 'number'],
    }),
    refuse: Flags.string({
      summary: 'Refuse values of this column outside of its categories or range.',
      helpValue: 'COL',
      multiple: true,
    }),
    python: Flags.string({ summary: 'The interpreter that resolves the requirements.', helpValue: 'PROGRAM' }),
    relock: Flags.boolean({ summary: 'Resolve the requirements again, although nothing asks for it.' }),
    unlocked: Flags.boolean({ summary: 'Write requirements without hashes, where they cannot be locked.' }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(ScaffoldFastapi)
    const { stage, artifact, flavour, output, refuse, python, relock, unlocked } = flags
    const given = { model: args.model, stage, artifact, flavour, output, refuse, with: flags.with }
    const { session } = this
    const project = await session.loadProject()
    const world = { ctx: session.ctx, project, openStore: () => session.openStore() }
    const request = {
      kind: 'fastapi' as const,
      ...scaffoldWishes(flags),
      options: givenOptions({ ...given, python, relock, unlocked }),
    }
    const result = await scaffold(world, request)
    return { data: result, render: (ui) => renderScaffold(ui, result), ...exitOfScaffold(result) }
  }
}
