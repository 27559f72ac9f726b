/** `mlops run note`: what a person has to say of a run. */
import { noteRun, type RunNotes } from '../../tracking/records/annotate.ts'
import { noteFrom } from '../../tracking/records/note-text.ts'
import { Args, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderRunNotes } from '../../ui/views/run-annotations.ts'

export type Result = RunNotes

export default class RunNote extends MlopsCommand {
  static override summary = 'Write a note on a run, or read its notes.'
  static override description =
    'Notes are added, never changed; mlops run show shows them. What looks like a secret is left out. With - as the text it is read from standard input and may have several lines.'
  static override examples = [
    '<%= config.bin %> run note @last "with the June data; better on small customers"',
    'git log -1 | <%= config.bin %> run note @last -',
    '<%= config.bin %> run note 01JD3',
  ]
  static override args = {
    run: Args.string({ description: 'Its id, the beginning of it, @last, @last~2 or @best:METRIC.', required: true }),
    text: Args.string({ description: 'The note, or - for standard input. None: the notes are printed.' }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { args } = await this.parse(RunNote)
    const { ctx } = this.session
    const text = await noteFrom(ctx, args.text)
    const store = await this.session.openStore({ write: text !== undefined })
    const result = await noteRun(ctx, store, args.run, text)
    return { data: result, render: (ui) => renderRunNotes(ui, result) }
  }
}
