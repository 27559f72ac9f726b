/** `mlops audit export`: the history of the models with its evidence, for somebody who does not trust the store. */
import { resolve } from 'node:path'
import { usage } from '../../core/errors.ts'
import { assertName } from '../../core/names.ts'
import { readWindow } from '../../predictions/window.ts'
import { type AuditSummary, auditLines } from '../../store/audit.ts'
import { eachPiece, writeAudit } from '../../store/audit-file.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderExported } from '../../ui/views/audit.ts'

export interface Result extends AuditSummary {
  /** Absolute; null: written to stdout. */
  readonly file: string | null
}

export default class AuditExport extends MlopsCommand {
  static override summary = 'Write the history of the models, with its evidence and its hash chains, as one JSONL.'
  static override description =
    'Every event of every log as it stands in the store, the manifests and run records that they pin, checks in short, alerts and jobs. Whoever has the file can follow the chains without mlops (docs/audit.md), and mlops store verify --against FILE tells later whether the store still has this history. With --output the file is there whole or not at all.'
  static override examples = [
    '<%= config.bin %> audit export --output audit-2026-11-21.jsonl',
    '<%= config.bin %> audit export churn-model --since 2026-10-01 > quarter.jsonl',
  ]
  static override args = {
    model: Args.string({ description: 'A model; all of them without one.', multiple: true }),
  }
  static override flags = {
    output: Flags.string({ summary: 'The file to write; else standard output.', helpValue: 'FILE' }),
    since: Flags.string({ summary: 'Of each log only the events from then on: a date or RFC 3339.', helpValue: 'T' }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(AuditExport)
    const { ctx, json } = this.session
    const models = (args.model ?? []) as unknown as readonly string[]
    for (const model of models) assertName('model', model)
    if (json && flags.output === undefined) throw outputNeeded()
    const { storeRoot } = await this.session.loadProject()
    const { since } = readWindow({ since: flags.since })
    const request = {
      models,
      time: ctx.now().toISOString(),
      tool: ctx.tool,
      ...(since === undefined ? {} : { since }),
      ...(ctx.signal === undefined ? {} : { signal: ctx.signal }),
    }
    const file = flags.output === undefined ? null : resolve(ctx.cwd, flags.output)
    const summary =
      file === null
        ? await eachPiece(auditLines(storeRoot, request), (piece) => this.session.write(piece))
        : await writeAudit(storeRoot, file, request)
    const { missing } = summary.counts
    if (missing > 0) ctx.warn(`${missing} records are lost or damaged; lines of the kind "missing" name them.`)
    return { data: { ...summary, file }, render: (ui) => (file === null ? '' : renderExported(ui, file, summary)) }
  }
}

/** Two results cannot share one stdout. */
const outputNeeded = (): Error =>
  usage({
    code: 'OUTPUT_NEEDED',
    message: 'With --json standard output is the envelope, so that the export needs a file.',
    hint: 'Name one: mlops audit export --json --output FILE',
  })
