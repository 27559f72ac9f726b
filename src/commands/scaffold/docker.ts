/** `mlops scaffold docker`: the image of a service, as files of the team's own. */
import { exitOfScaffold, type ScaffoldResult, scaffold } from '../../scaffold/scaffold.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { givenOptions, scaffoldFlags, scaffoldWishes } from '../../ui/scaffold-flags.ts'
import { renderScaffold } from '../../ui/views/scaffold.ts'

export type Result = ScaffoldResult

export default class ScaffoldDocker extends MlopsCommand {
  static override summary = 'Write a Dockerfile and a compose file for a service, or bring them up to date.'
  static override description =
    'Beside a service of mlops scaffold fastapi: a multi-stage Dockerfile with locked packages, a user that is not root, the model in a layer of its own, verified, and its golden predictions run by the build; a compose file, and DEPLOY.md for Cloud Run, ECS, Container Apps and Kubernetes.'
  static override examples = [
    '<%= config.bin %> scaffold docker churn-model',
    '<%= config.bin %> scaffold docker churn-model@4 --diff',
    '<%= config.bin %> scaffold docker --base-image python:3.11-slim --label org.opencontainers.image.vendor="Acme Inc."',
  ]
  static override args = {
    model: Args.string({
      description:
        'MODEL[@VERSION|@STAGE] that the labels name; as before, when it was scaffolded already, else that of the service.',
    }),
  }
  static override flags = {
    ...scaffoldFlags,
    'base-image': Flags.string({
      summary: 'The base (default: python:3.MINOR-slim of the training run). Pin it by digest.',
      helpValue: 'IMAGE',
    }),
    label: Flags.string({ summary: 'One more label.', helpValue: 'KEY=VALUE', multiple: true }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(ScaffoldDocker)
    const { session } = this
    const project = await session.loadProject()
    const world = { ctx: session.ctx, project, openStore: () => session.openStore() }
    const options = givenOptions({ model: args.model, 'base-image': flags['base-image'], label: flags.label })
    const result = await scaffold(world, { kind: 'docker', ...scaffoldWishes(flags), options })
    return { data: result, render: (ui) => renderScaffold(ui, result), ...exitOfScaffold(result) }
  }
}
