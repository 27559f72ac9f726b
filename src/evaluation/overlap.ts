/**
 * Rows of a test set that stand in the training data too: a model is praised for what it has learnt by heart. Rows are
 * compared by digests over all columns that both have (`row-digest.ts`); how many may be shared is for a gate to say.
 */
import type { DataInput } from '../data/input.ts'
import type { OpenOptions, Source } from '../data/source.ts'
import { DigestSet, type Words } from './digest-set.ts'
import { comparedColumns, fileColumns, type OverlapSchema, streamDigests } from './row-digest.ts'
import type { Overlap } from './types.ts'

export interface OverlapOptions extends OpenOptions {
  /** Columns of type `id` or `ignore`, and the prediction, make no row the same or different. */
  readonly schema?: OverlapSchema
}

/** Training rows of so many digests say how often rows repeat each other. */
const SAMPLED = 1 << 20

/**
 * Memory grows with the different rows of the test set (about 30 bytes each), not with the training data.
 * @throws usage `OVERLAP_COLUMNS`; as `withSource`
 */
export function overlapOf(test: DataInput, train: DataInput, options: OverlapOptions): Promise<Overlap> {
  const { schema = {}, ...open } = options
  return train.open(open, (trained) => test.open(open, (tested) => overlap(tested, trained, schema)))
}

async function overlap(tested: Source, trained: Source, schema: OverlapSchema): Promise<Overlap> {
  const { columns, notes } = comparedColumns(await fileColumns(tested), await fileColumns(trained), schema)
  const digests = new DigestSet()
  let rows = 0
  await streamDigests(tested, columns, (words, count) => {
    for (let row = 0; row < count; row++) digests.add(words, 4 * row)
    rows += count
  })
  const distinct = digests.size
  const repeats = new Repeats()
  let shared = 0
  let trainRows = 0
  await streamDigests(trained, columns, (words, count) => {
    for (let row = 0; row < count; row++) {
      shared += digests.take(words, 4 * row)
      repeats.add(words, 4 * row)
    }
    trainRows += count
  })
  return {
    ...{ rows, shared, distinct, trainRows, expected: rows * repeats.share() },
    ...{ columns, notes },
  }
}

/**
 * Which share of rows has a twin: counted over those digests whose first bits are zero, more bits the more there are, so
 * that all copies of a row are looked at or none.
 */
class Repeats {
  readonly #seen = new DigestSet()
  #mask = 0

  add(words: Words, at: number): void {
    if (((words[at] as number) & this.#mask) !== 0) return
    this.#seen.add(words, at)
    if (this.#seen.size <= SAMPLED) return
    this.#mask = 2 * this.#mask + 1
    this.#seen.keep((kept, place) => ((kept[place] as number) & this.#mask) === 0)
  }

  share(): number {
    let [rows, twins] = [0, 0]
    this.#seen.forEach((_words, _at, count) => {
      rows += count
      if (count > 1) twins += count
    })
    return rows === 0 ? 0 : twins / rows
  }
}
