/** `mlops scaffold github-actions`: workflows that check, retrain and promote, as files of the team's own. */

import { SCHEDULES } from '../../scaffold/github-actions/schedule.ts'
import { CLOUDS } from '../../scaffold/github-actions/settings.ts'
import { exitOfScaffold, type ScaffoldResult, scaffold } from '../../scaffold/scaffold.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { givenOptions, scaffoldFlags, scaffoldWishes } from '../../ui/scaffold-flags.ts'
import { renderScaffold } from '../../ui/views/scaffold.ts'

export type Result = ScaffoldResult

export default class ScaffoldGithubActions extends MlopsCommand {
  static override summary = 'Write workflows for GitHub Actions, or bring them up to date.'
  static override description =
    'Drift on a schedule, retraining that mlops retrain dispatches, promotion by a pull request whose merge is the approval, tests, and with --image the build and deployment. The steps are scripts in .github/mlops that run here just as well.'
  static override examples = [
    '<%= config.bin %> scaffold github-actions',
    '<%= config.bin %> scaffold github-actions churn-model --current "s3-mount/churn/*.parquet" --schedule hourly',
    '<%= config.bin %> scaffold github-actions --runner self-hosted --runner mlops --runner-store /srv/mlops/.mlops',
  ]
  static override args = {
    model: Args.string({ description: 'The models; otherwise all of mlops.yaml.', multiple: true }),
  }
  static override flags = {
    ...scaffoldFlags,
    current: Flags.string({
      summary: 'What the drift check reads on the runner, {model} in it is the name; otherwise the log in PostgreSQL.',
      helpValue: 'LOCATION',
    }),
    predictions: Flags.string({
      summary: 'secret: the address of the prediction log is the secret MLOPS_PREDICTIONS.',
      options: ['config', 'secret'],
    }),
    schedule: Flags.string({ summary: 'How often drift is checked (default: daily).', options: [...SCHEDULES] }),
    branch: Flags.string({ summary: 'The branch that promotions are merged into.', helpValue: 'BRANCH' }),
    runner: Flags.string({
      summary: 'A label of the runners (default: ubuntu-24.04).',
      helpValue: 'LABEL',
      multiple: true,
    }),
    'runner-store': Flags.string({
      summary: 'Where runners of your own see the store, when it is no branch.',
      helpValue: 'PATH',
    }),
    requirements: Flags.string({
      summary: 'Python packages of the training (default: requirements.lock, requirements.txt).',
      helpValue: 'FILE',
    }),
    python: Flags.string({
      summary: 'The Python of the runners (default: what the model was trained with, else 3.12).',
      helpValue: '3.MINOR',
    }),
    service: Flags.string({
      summary: 'The folder of the service (default: where it was scaffolded).',
      helpValue: 'DIR',
    }),
    image: Flags.string({ summary: 'Build its image, and put it there.', helpValue: 'REGISTRY/NAME' }),
    cloud: Flags.string({ summary: 'Where the image is deployed; logged in to without keys.', options: [...CLOUDS] }),
    mlops: Flags.string({ summary: 'The npm package of mlops (default: this version).', helpValue: 'SPEC' }),
    relock: Flags.boolean({ summary: 'Lock the npm packages again, although nothing asks for it.' }),
    unlocked: Flags.boolean({ summary: 'Write no package-lock.json; you make it.' }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(ScaffoldGithubActions)
    const { session } = this
    const project = await session.loadProject()
    const named = (args.model ?? []) as unknown as readonly string[]
    const { current, predictions, schedule, branch, runner, requirements, python, service } = flags
    const { image, cloud, mlops, relock, unlocked } = flags
    const options = givenOptions<string | boolean | readonly string[]>({
      ...{ models: named.length === 0 ? undefined : named, current, predictions, schedule, branch, runner },
      ...{ 'runner-store': flags['runner-store'], requirements, python, service },
      ...{ image, cloud, mlops, relock, unlocked },
    })
    const world = { ctx: session.ctx, project, openStore: () => session.openStore() }
    const result = await scaffold(world, { kind: 'github-actions', ...scaffoldWishes(flags), options })
    return { data: result, render: (ui) => renderScaffold(ui, result), ...exitOfScaffold(result) }
  }
}
