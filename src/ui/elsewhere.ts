/**
 * What people type who come from other tools, or guess, and what it is here: looked at before did-you-mean, which only
 * knows letters. An entry is used where the command or the flag that it names exists.
 */

/** By what was typed; `needs` is the flag that the command must have. */
const FLAGS: Readonly<Record<string, readonly { readonly needs: string; readonly hint: string }[]>> = {
  ...{ filter: where(), query: where(), search: where(), grep: where() },
  tag: where('"tags has TAG"'),
  tags: where('"tags has TAG"'),
  status: where('"status = failed"'),
  state: where('"status = failed"'),
  failed: where('"status = failed"'),
  running: where('"status = running"'),
  finished: where('"status = finished"'),
  since: where('"started > 7d"'),
  after: where('"started > 2026-11-01"'),
  until: where('"started < 2026-11-01"'),
  before: where('"started < 2026-11-01"'),
  ...{ n: flag('limit', 'N'), max: flag('limit', 'N'), count: flag('limit', 'N'), head: flag('limit', 'N') },
  ...{ 'max-results': flag('limit', 'N'), top: flag('limit', 'N'), last: flag('limit', 'N') },
  ...{ 'order-by': flag('sort', 'FIELD'), 'sort-by': flag('sort', 'FIELD'), order: flag('sort', 'FIELD') },
  best: flag('sort', 'METRIC'),
  ...{ fields: flag('columns', 'FIELD,…'), cols: flag('columns', 'FIELD,…'), select: flag('columns', 'FIELD,…') },
  all: [{ needs: 'columns', hint: 'Write --limit 0' }],
  ...{ trash: flag('deleted'), trashed: flag('deleted') },
  ...{ message: flag('reason', 'TEXT'), m: flag('reason', 'TEXT'), comment: flag('reason', 'TEXT') },
  ...{ rm: flag('remove', 'TAG'), delete: flag('remove', 'TAG') },
  ...{ tail: flag('follow'), watch: flag('follow'), live: flag('follow') },
  ...{ html: flag('report', 'report.html'), output: flag('report', 'report.html'), o: flag('report', 'report.html') },
  ...{ dry: flag('dry-run'), 'what-if': flag('dry-run'), preview: flag('dry-run') },
  format: [
    { needs: 'csv', hint: 'Write --csv or --json' },
    { needs: 'json', hint: 'Write --json' },
  ],
}

function where(example = '"auc > 0.8"'): readonly { readonly needs: string; readonly hint: string }[] {
  return [{ needs: 'where', hint: `Write for example --where ${example}` }]
}

function flag(name: string, value = ''): readonly { readonly needs: string; readonly hint: string }[] {
  return [{ needs: name, hint: `Write --${name}${value === '' ? '' : ` ${value}`}` }]
}

/**
 * @param typed with its dashes
 * @param known names of the flags of the command, without dashes
 */
export function flagElsewhere(typed: string, known: readonly string[]): string | undefined {
  const name = typed.replace(/^-+/, '').toLowerCase()
  const entries = Object.hasOwn(FLAGS, name) ? FLAGS[name] : undefined
  return entries?.find(({ needs }) => known.includes(needs))?.hint
}

interface Meant {
  /** As it is typed here, after `mlops`. */
  readonly write: string
  /** Its id: how many words of `write` are the command. */
  readonly words: number
}

const command = (write: string, words = 2): Meant => ({ write, words })
const FOLLOW = command('run show RUN --follow')
const LIST = command('run list')
const DELETE = command('run delete RUN')
const COMPARE = command('run compare RUN RUN')
const REPRODUCE = command('run reproduce RUN')
const TRACK = command('track -- COMMAND', 1)

/** Of a topic: what stands after it. */
const OF_RUN: Readonly<Record<string, Meant>> = {
  ...{ logs: FOLLOW, log: FOLLOW, watch: FOLLOW, tail: FOLLOW, follow: FOLLOW, output: FOLLOW },
  ...{ diff: COMPARE, cmp: COMPARE, ls: LIST, all: LIST, find: command('run list --where FILTER') },
  ...{ query: command('run list --where FILTER'), search: command('run list --where FILTER') },
  ...{ filter: command('run list --where FILTER'), best: command('run show @best:METRIC') },
  ...{ last: command('run show @last'), latest: command('run show @last'), describe: command('run show RUN') },
  ...{ info: command('run show RUN'), get: command('run show RUN'), view: command('run show RUN') },
  ...{ rm: DELETE, remove: DELETE, del: DELETE, undelete: command('run restore RUN') },
  ...{ export: command('run list --csv'), csv: command('run list --csv'), comment: command('run note RUN TEXT') },
  ...{
    annotate: command('run note RUN TEXT'),
    rename: command('run note RUN TEXT'),
    untag: command('run tag RUN --remove TAG'),
  },
  ...{ rerun: REPRODUCE, repeat: REPRODUCE, replay: REPRODUCE, retry: REPRODUCE },
  ...{ start: TRACK, new: TRACK, create: TRACK, exec: TRACK },
  register: command('register MODEL --run RUN', 1),
}

/** Alone. */
const ALONE: Readonly<Record<string, Meant>> = {
  ...{ logs: FOLLOW, log: FOLLOW, watch: FOLLOW, tail: FOLLOW, compare: COMPARE, diff: COMPARE },
  ...{ ls: LIST, list: LIST, ps: LIST, runs: LIST, history: LIST, experiments: LIST, experiment: LIST, search: LIST },
  ...{ show: command('run show RUN'), rm: DELETE, delete: DELETE, restore: command('run restore RUN') },
  ...{
    purge: command('run purge'),
    gc: command('store gc'),
    clean: command('store gc'),
    verify: command('store verify'),
  },
  ...{ reproduce: REPRODUCE, rerun: REPRODUCE, repro: REPRODUCE, exec: TRACK, train: TRACK },
  ...{ tag: command('run tag RUN --add TAG'), note: command('run note RUN TEXT'), models: command('model list') },
  ...{
    deploy: command('promote MODEL --to STAGE', 1),
    versions: command('model show MODEL'),
    lineage: command('trace ID', 1),
  },
  ...{ info: command('status', 1), dashboard: command('status', 1), ui: command('status', 1) },
}

/** Of the topic `run`; nothing here ends a run from elsewhere. */
const STOPS = new Set(['kill', 'stop', 'cancel', 'abort', 'end', 'terminate'])
const STOPPING =
  'A run ends when its command does: press Ctrl-C where it runs, or end its process there. See where: mlops run show @last'

/**
 * @param known commands as they are typed: `run list`
 * @returns the whole hint
 */
export function commandElsewhere(words: readonly string[], known: readonly string[]): string | undefined {
  const [first = '', second] = words.map((word) => word.toLowerCase())
  const isRun = /^(?:runs?|experiments?)$/.test(first) && second !== undefined
  if (STOPS.has(isRun ? (second ?? '') : first)) return known.includes('run show') ? STOPPING : undefined
  const meant = isRun ? entry(OF_RUN, second ?? '') : entry(ALONE, first)
  if (meant === undefined) return undefined
  const id = meant.write.split(' ').slice(0, meant.words).join(' ')
  return known.includes(id) ? `Write mlops ${meant.write}` : undefined
}

const entry = (table: Readonly<Record<string, Meant>>, word: string): Meant | undefined =>
  Object.hasOwn(table, word) ? table[word] : undefined
