/** A run as filters see it, made of what a test cares for. No expectations belong here. */
import type { Annotation, ParamValue, RunEnd, RunStart } from '../../../src/store/run-records.ts'
import type { RunStatus } from '../../../src/tracking/records/status.ts'
import type { RunFacts } from '../../../src/tracking/records/where/fields.ts'
import { Columns, prepareFilter } from '../../../src/tracking/records/where/filter.ts'
import { noNames, noteNames } from '../../../src/tracking/records/where/names.ts'

export const NOW = Date.parse('2026-11-21T12:00:00Z')
export const ID = '01M7ZZZZZZ0000000000000000'

export interface FactsOf {
  readonly start?: Partial<RunStart>
  readonly end?: Partial<RunEnd> | null
  readonly metrics?: Readonly<Record<string, number | string>>
  readonly params?: Readonly<Record<string, ParamValue>>
  readonly tags?: readonly string[]
  readonly said?: readonly Annotation[]
  readonly status?: RunStatus
  readonly duration?: number | null
}

export function factsOf({ metrics = {}, params = {}, tags = [], said = [], ...of }: FactsOf = {}): RunFacts {
  const start: RunStart = {
    ...{ format: 1, id: ID, started: '2026-11-20T12:00:00.000Z', command: ['python', 'train.py'], cwd: '.', env: {} },
    ...{ host: { name: 'box', platform: 'linux', cpus: 2, memory: 1 }, data: [], params, tags, source: 'track' },
    ...{ actor: { name: 'ada@box', origin: 'local' }, tool: 'mlops test', ...of.start },
  } as RunStart
  const end =
    of.end === null
      ? undefined
      : ({
          ...{ format: 1, status: 'finished', exit: 0, signal: null, ended: '2026-11-20T12:05:00.000Z', duration: 300 },
          ...{ metrics, params, tags, artifacts: [], files: {}, warnings: [], ...of.end },
        } as RunEnd)
  const row = {
    ...{ run: start.id, model: start.model ?? null, status: of.status ?? 'finished', started: start.started },
    ...{ duration: of.duration === undefined ? (end?.duration ?? null) : of.duration, command: start.command },
    ...{ metrics, params, tags, artifacts: end?.artifacts ?? [], exit: end?.exit ?? null, signal: null, parent: null },
  } as RunFacts['row']
  return { row, start, end, said, now: NOW }
}

/** Does the filter hold for the run, in a store of these runs? */
export function holds(filter: string, facts: RunFacts, others: readonly RunFacts[] = []): boolean {
  const columns = new Columns()
  const prepared = prepareFilter(filter, columns, NOW)
  const known = noNames()
  for (const each of [facts, ...others]) noteNames(known, each)
  return prepared.settle(known, 1 + others.length).test(columns.read(facts))
}
