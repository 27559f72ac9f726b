/**
 * From the streams of a run to what end.json says: one value per metric and parameter, one entry per artifact. Line by
 * line, so that a run of a million lines needs no more room than one of a few. Pure but for `foldStreams`, which reads.
 */
import { readNumber } from '../../core/canonical-json.ts'
import type { ParamValue, RunArtifact, RunEnd, ValueOrigin } from '../../store/run-records.ts'
import type { SkippedLine, Store, StreamLine, StreamName } from '../../store/store.ts'

export type RunStreams = { readonly [S in StreamName]: readonly StreamLine[S][] }

/** Parameters and tags of the command line: they come before everything that was logged. */
export interface Given {
  readonly params: Readonly<Record<string, ParamValue>>
  readonly tags: readonly string[]
}

export type Folded = Pick<RunEnd, 'metrics' | 'params' | 'tags' | 'artifacts'>

/**
 * The rule that every writer of end.json follows (docs/store-format.md): of the lines with one key, those of the
 * highest origin count (logged by the client, then files, then printed, then
 * flags of the command), of those the latest `t`, of those the last.
 */
export interface RunFold {
  take<S extends StreamName>(stream: S, lines: readonly StreamLine[S][]): void
  folded(): Folded
}

const STREAMS: readonly StreamName[] = ['metrics', 'params', 'tags', 'artifacts']
const RANK: Readonly<Record<ValueOrigin | 'logged', number>> = { argument: 0, printed: 1, file: 2, logged: 3 }
const isParam = (value: unknown): boolean => value === null || typeof value !== 'object'
const rankOf = (from: ValueOrigin | undefined): number => RANK[from ?? 'logged'] ?? RANK.logged

export function createFold(start: Given): RunFold {
  const metrics = lastOfEach<number | string>()
  const params = lastOfEach<ParamValue>()
  const tags = lastOfEach<string>()
  const artifacts = lastOfEach<RunArtifact>()
  const take: { readonly [S in StreamName]: (line: StreamLine[S]) => void } = {
    metrics: ({ key, value, t, from }) => readNumber(value) !== undefined && metrics.take(key, value, t, rankOf(from)),
    params: ({ key, value, t, from }) => isParam(value) && params.take(key, value, t, rankOf(from)),
    tags: ({ tag, t }) => tags.take(tag, tag, t, 0),
    artifacts: ({ path, sha256, size, t }) =>
      typeof sha256 === 'string' && typeof size === 'number' && artifacts.take(path, { path, sha256, size }, t, 0),
  }
  return {
    take(stream, lines) {
      for (const line of lines) take[stream](line)
    },
    folded: () => ({
      metrics: Object.fromEntries(metrics.entries()),
      params: { ...Object.fromEntries(params.entries()), ...start.params },
      tags: [...new Set([...start.tags, ...tags.entries().map(([tag]) => tag)])],
      artifacts: artifacts
        .entries()
        .map(([, artifact]) => artifact)
        .sort((a, b) => (a.path < b.path ? -1 : 1)),
    }),
  }
}

export function foldRun(start: Given, streams: RunStreams): Folded {
  const fold = createFold(start)
  for (const stream of STREAMS) fold.take(stream, streams[stream])
  return fold.folded()
}

/** @param also sees the lines of metrics as they are read: they are read once for whatever is made of them */
export async function foldStreams(
  store: Store,
  id: string,
  start: Given,
  also?: (lines: readonly StreamLine['metrics'][]) => void,
  skipped?: SkippedLine,
): Promise<Folded> {
  const fold = createFold(start)
  for (const stream of STREAMS) {
    for await (const lines of store.runs.batches(id, stream, skipped)) {
      fold.take(stream, lines)
      if (stream === 'metrics') also?.(lines as readonly StreamLine['metrics'][])
    }
  }
  return fold.folded()
}

interface Best<V> {
  value: V
  rank: number
  t: string
  /** Of all lines of the key, whatever counts: the names stand in the order in which they first appeared. */
  firstTime: string
  firstPlace: number
}

/** Times are compared as text: RFC 3339 in UTC with milliseconds sorts so. */
function lastOfEach<V>() {
  const best = new Map<string, Best<V>>()
  let place = 0
  return {
    take(key: string, value: V, t: string, rank: number): void {
      // Whoever wrote such a line is not one of us.
      if (typeof key !== 'string' || key === '__proto__' || typeof t !== 'string' || value === undefined) return
      const known = best.get(key)
      place += 1
      if (known === undefined) {
        best.set(key, { value, rank, t, firstTime: t, firstPlace: place })
        return
      }
      if (t < known.firstTime) {
        known.firstTime = t
        known.firstPlace = place
      }
      if (rank < known.rank || (rank === known.rank && t < known.t)) return
      known.value = value
      known.rank = rank
      known.t = t
    },
    entries: (): [string, V][] =>
      [...best]
        .sort(([, a], [, b]) =>
          a.firstTime < b.firstTime ? -1 : a.firstTime > b.firstTime ? 1 : a.firstPlace - b.firstPlace,
        )
        .map(([key, { value }]) => [key, value]),
  }
}
