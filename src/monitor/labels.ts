/** Collects what `quality.ts` judges: realised metrics of a window and of its blocks. Reads the log alone. */
import type { QualityResult } from '../drift/types.ts'
import type { PredictionLog, RowShape, TimeWindow, VersionQuality } from '../predictions/types.ts'
import { FEWEST_LABELS, judgeQuality, QUALITY_BLOCKS } from './quality.ts'

/** @returns undefined while no label has arrived */
export async function realisedQuality(
  log: PredictionLog,
  window: TimeWindow,
  version: number,
  shape: RowShape,
  recorded: Readonly<Record<string, number | string>>,
): Promise<QualityResult | undefined> {
  const ask = async (part: TimeWindow): Promise<VersionQuality | undefined> => {
    const { versions } = await log.quality({ ...part, version }, shape)
    return versions.find((each) => each.version === version)
  }
  const quality = await ask(window)
  if (quality === undefined || quality.labelled === 0) return undefined
  const blocks: VersionQuality[] = []
  // A verdict on a handful of labels is inconclusive, whatever their spread.
  if (quality.labelled >= FEWEST_LABELS) {
    const { first, last } = await log.stats({ ...window, version })
    for (const block of blocksOf(first, last, window)) {
      const found = await ask(block)
      if (found !== undefined) blocks.push(found)
    }
  }
  return judgeQuality({ quality, blocks, recorded })
}

/** Equal parts of the time in which there are answers: a burst in a long window has blocks too. */
function blocksOf(first: string | null, last: string | null, window: TimeWindow): TimeWindow[] {
  const since = first === null ? window.since : Date.parse(first)
  const until = last === null ? window.until : Date.parse(last) + 1
  const step = Math.max(1, Math.ceil((until - since) / QUALITY_BLOCKS))
  return Array.from({ length: QUALITY_BLOCKS }, (_, i) => ({
    since: since + i * step,
    until: Math.min(until, since + (i + 1) * step),
  })).filter((block) => block.until > block.since)
}
