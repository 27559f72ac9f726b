/** `mlops model tag`: puts tags on a version and takes them off. */
import { given } from '../../core/given.ts'
import { parseModelRef } from '../../core/names.ts'
import { type TagResult, tagVersion } from '../../lifecycle/versions/tag.ts'
import { Args, changeFlags, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderTags } from '../../ui/views/tag.ts'

export type Result = TagResult

export default class ModelTag extends MlopsCommand {
  static override summary = 'Put tags on a version, take them off, or list them.'
  static override description =
    'Tags are words for people and scripts; they move no stage. Every change is one event of the log. Adding what is there and removing what is not changes nothing.'
  static override examples = [
    '<%= config.bin %> model tag churn-model@3',
    '<%= config.bin %> model tag churn-model@3 --add candidate --remove draft',
  ]
  static override args = {
    model: Args.string({
      description: 'MODEL@VERSION or MODEL@STAGE; MODEL alone is its newest version.',
      required: true,
    }),
  }
  static override flags = {
    add: Flags.string({ summary: 'A tag to put on; may be repeated.', helpValue: 'TAG', multiple: true }),
    remove: Flags.string({ summary: 'A tag to take off; may be repeated.', helpValue: 'TAG', multiple: true }),
    ...changeFlags,
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(ModelTag)
    const ref = parseModelRef(args.model)
    const { add = [], remove = [] } = flags
    const { session } = this
    const store = await session.openStore({ write: add.length + remove.length > 0 })
    const result = await tagVersion(session.ctx, store, {
      ref,
      add,
      remove,
      ...given({ idempotencyKey: session.idempotencyKey }),
    })
    return { data: result, render: (ui) => renderTags(ui, result, add.length + remove.length > 0) }
  }
}
