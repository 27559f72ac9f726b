/**
 * Giving memory back while chunks are streamed. A chunk is freed by DuckDB only when its JavaScript handle, a few bytes
 * of garbage, is collected. Nothing presses the collector to do so: hundreds of read chunks would stay, and each new one
 * be written to fresh memory. What the chunks hold is read elsewhere.
 */

let collector: (() => void) | undefined

/** @returns collects what was allocated lately and is not used any more: a fraction of a millisecond */
export async function youngCollector(): Promise<() => void> {
  if (collector !== undefined) return collector
  const [{ setFlagsFromString }, { runInNewContext }] = await Promise.all([import('node:v8'), import('node:vm')])
  // The documented way to reach the collector in a process that was not started for it.
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('typeof gc === "function" ? gc : undefined')
  setFlagsFromString('--no-expose-gc')
  collector = typeof collect === 'function' ? () => void collect({ type: 'minor' }) : () => {}
  return collector
}
