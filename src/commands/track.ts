/** `mlops track`: runs an unmodified command as a run. Exit code: the command's own; 125, 126, 127 are ours. */
import type { AppliedIntents } from '../lifecycle/register/intents.ts'
import type { KeptInAll } from '../tracking/capture/data-record.ts'
import { parseDataFlag } from '../tracking/capture/declared-data.ts'
import { processSignals } from '../tracking/execute/signals.ts'
import { trackCommand } from '../tracking/execute/track.ts'
import { nextCommand, type RunRow, rowOfOutcome } from '../tracking/records/run-row.ts'
import { parseParamFlags } from '../tracking/values/value-maps.ts'
import { Flags, MlopsCommand, type Outcome } from '../ui/command.ts'
import { renderTracked } from '../ui/views/run.ts'

export interface Result extends RunRow {
  readonly warnings: readonly string[]
  /** What the script asked for and was done; null when it asked for nothing, or did not end well. */
  readonly intents: AppliedIntents | null
  /** What keeping the bytes of the data took; null when none were to be kept. */
  readonly snapshot: KeptInAll | null
  /** The command to type next, when there is one. */
  readonly next: string | null
}

/** Of everything that is not the command's doing, as `env` and `timeout` have it: 2 could be the command's. */
const OWN_FAILURE = 125

export default class Track extends MlopsCommand {
  static override summary = 'Run a command and record what it did.'
  static override description =
    'Runs any unmodified command and records it as a run: code, environment, data, parameters, metrics, artifacts, output. The exit code is that of the command, 128+n when signal n ended it; 125 when mlops itself failed, 126 when the command is not executable, 127 when it does not exist.'
  static override usage = 'track [FLAGS] -- COMMAND…'
  static override examples = [
    '<%= config.bin %> track -- python train.py',
    '<%= config.bin %> track --model churn-model --data train=data/train.csv --param depth=4 -- python train.py --depth 4',
    '<%= config.bin %> track --artifact "out/*.onnx" --seed 42 -- ./train.sh',
    '<%= config.bin %> track --data images=data/images --snapshot --note "with the June data" -- python train.py',
  ]
  static override ownSignals = true
  static override takesCommand = true
  static override flags = {
    model: Flags.string({ char: 'm', summary: 'The model this run trains.', helpValue: 'MODEL' }),
    data: Flags.string({ summary: 'Data it learns from; hashed and counted.', helpValue: 'NAME=PATH', multiple: true }),
    snapshot: Flags.boolean({ allowNo: true, summary: 'Keep the bytes of the data in the store too, each once.' }),
    rehash: Flags.boolean({ summary: 'Read also the files of folders of data that look unchanged.' }),
    param: Flags.string({ summary: 'A parameter, kept with the run.', helpValue: 'K=V', multiple: true }),
    note: Flags.string({ summary: 'What it is about, in a sentence; a note of the run.', helpValue: 'TEXT' }),
    tag: Flags.string({ summary: 'A tag of the run.', helpValue: 'TAG', multiple: true }),
    artifact: Flags.string({ summary: 'Files to keep; a path or pattern.', helpValue: 'PATH', multiple: true }),
    seed: Flags.integer({ summary: 'Set as MLOPS_SEED and PYTHONHASHSEED; random by default.', helpValue: 'N' }),
  }

  async execute(): Promise<Outcome<Result>> {
    const [{ flags }, { session }] = [await this.parse(Track), this]
    const [store, project] = [await session.openStore({ write: true, ask: 'never' }), await session.loadProject()]
    const outcome = await trackCommand(session.ctx, project, store, {
      command: this.rawAfterDashes ?? [],
      ...{ model: flags.model, note: flags.note, seed: flags.seed },
      ...{ snapshot: flags.snapshot, rehash: flags.rehash },
      data: (flags.data ?? []).map(parseDataFlag),
      params: parseParamFlags(flags.param ?? []),
      ...{ tags: flags.tag ?? [], artifacts: flags.artifact ?? [] },
      ...{ stdoutTo: session.json ? 'stderr' : 'stdout', foreground: process.stdin.isTTY === true },
      signals: processSignals,
    })
    const row = rowOfOutcome(outcome)
    let intents: AppliedIntents | null = null
    if (row.status === 'finished' && (await store.runs.intents(row.run)).length > 0) {
      const lifecycle = await import('../lifecycle/register/intents.ts')
      intents = await lifecycle.applyIntents(session.ctx, project, store, row.run)
      for (const { message, hint } of intents.failures) session.ctx.warn(`${message} ${hint}`)
    }
    const next = intents?.registered.at(-1)?.next ?? nextCommand(row, intents === null, project.config.models)
    const result: Result = { ...row, warnings: outcome.end.warnings, intents, snapshot: outcome.kept ?? null, next }
    session.note(renderTracked(session.ui, session.errStyle, result, outcome.start.data.length > 0))
    return { data: result, render: () => '', exit: intents?.failures.length ? OWN_FAILURE : outcome.exitCode }
  }

  /** 126 and 127 are those of shells; everything else of ours is 125. */
  protected override exitCodeOf(failure: number): number {
    return failure === 126 || failure === 127 ? failure : OWN_FAILURE
  }
}
