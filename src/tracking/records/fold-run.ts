/** From the streams of a run to what end.json says: one value per metric and parameter, one entry per artifact. Pure. */
import type {
  ArtifactLine,
  MetricLine,
  ParamLine,
  ParamValue,
  RunArtifact,
  RunEnd,
  TagLine,
  ValueOrigin,
} from '../../store/run-records.ts'

export interface RunStreams {
  readonly metrics: readonly MetricLine[]
  readonly params: readonly ParamLine[]
  readonly tags: readonly TagLine[]
  readonly artifacts: readonly ArtifactLine[]
}

/**
 * The rule that every writer of end.json follows (docs/store-format.md): of the lines with one key, those of the
 * highest origin count (logged by the client, then files, then printed), of those the latest `t`, of those the last.
 * @param start parameters and tags of the command line, which override everything that was logged
 */
export function foldRun(
  start: { readonly params: Readonly<Record<string, ParamValue>>; readonly tags: readonly string[] },
  streams: RunStreams,
): Pick<RunEnd, 'metrics' | 'params' | 'tags' | 'artifacts'> {
  const artifacts = new Map<string, RunArtifact>()
  for (const { path, sha256, size } of byTime(streams.artifacts)) artifacts.set(path, { path, sha256, size })
  return {
    metrics: lastValues(streams.metrics),
    params: { ...lastValues(streams.params), ...start.params },
    tags: [...new Set([...start.tags, ...byTime(streams.tags).map((line) => line.tag)])],
    artifacts: [...artifacts.values()].sort((a, b) => (a.path < b.path ? -1 : 1)),
  }
}

const RANK: Readonly<Record<ValueOrigin | 'logged', number>> = { printed: 0, file: 1, logged: 2 }

function lastValues<V>(
  lines: readonly { readonly t: string; readonly key: string; readonly value: V; readonly from?: ValueOrigin }[],
): Record<string, V> {
  const best = new Map<string, { value: V; rank: number }>()
  for (const { key, value, from } of byTime(lines)) {
    const rank = RANK[from ?? 'logged']
    if (rank >= (best.get(key)?.rank ?? 0)) best.set(key, { value, rank })
  }
  return Object.fromEntries([...best].map(([key, { value }]) => [key, value]))
}

/** A stable sort: RFC 3339 in UTC with milliseconds sorts as text. */
const byTime = <L extends { readonly t: string }>(lines: readonly L[]): L[] =>
  [...lines].sort((a, b) => (a.t < b.t ? -1 : a.t > b.t ? 1 : 0))
