/** `mlops run tag`: puts tags on a run and takes them off. */
import { type RunTags, tagRuns } from '../../tracking/records/annotate.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderRunTags } from '../../ui/views/run-annotations.ts'

/** Of several runs, each of them. */
export type Result = RunTags | { readonly runs: readonly RunTags[] }

export default class RunTag extends MlopsCommand {
  static override summary = 'Put tags on runs, take them off, or list them.'
  static override description =
    'Works at any time, also while the run goes on. What the run recorded stays as it was: who said what, and when, is kept beside it (--json). Tags of a run are not those of a version: mlops model tag.'
  static override examples = [
    '<%= config.bin %> run tag @last',
    '<%= config.bin %> run tag @best:auc --add keep --remove draft',
    '<%= config.bin %> run tag @last @last~1 --add sweep',
    '<%= config.bin %> run list --where "tags has keep"',
  ]
  static override strict = false
  static override args = {
    run: Args.string({
      description: 'Its id, the beginning of it, @last, @last~2 or @best:METRIC; several.',
      required: true,
    }),
  }
  static override flags = {
    add: Flags.string({ summary: 'A tag to put on; may be repeated.', helpValue: 'TAG', multiple: true }),
    remove: Flags.string({ summary: 'A tag to take off; may be repeated.', helpValue: 'TAG', multiple: true }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { argv, flags } = await this.parse(RunTag)
    const { add = [], remove = [] } = flags
    const isChange = add.length + remove.length > 0
    const store = await this.session.openStore({ write: isChange })
    const runs = await tagRuns(this.session.ctx, store, argv.map(String), { add, remove })
    const [only, ...others] = runs
    const data = only === undefined || others.length > 0 ? { runs } : only
    return {
      data,
      render: (ui) =>
        runs
          .map((run) => renderRunTags(ui, run, isChange))
          .filter(Boolean)
          .join('\n'),
    }
  }
}
