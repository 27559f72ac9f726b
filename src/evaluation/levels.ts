/** Numbers by rank: which distinct value each row has, and the rows in that order. Metrics of ranks build on it. */

export interface Levels {
  /** Of each row: the rank of its value among the distinct ones, from 0. */
  readonly of: Int32Array
  readonly count: number
}

/** Equal values share a level: comparing ranks is comparing values, whatever their scale. No NaN. */
export function levelsOf(values: Float64Array): Levels {
  const distinct = values.slice().sort()
  let count = 0
  for (let i = 0; i < distinct.length; i++) {
    if (count === 0 || distinct[i] !== distinct[count - 1]) distinct[count++] = distinct[i] as number
  }
  const of = new Int32Array(values.length)
  for (let row = 0; row < values.length; row++) of[row] = placeOf(distinct, count, values[row] as number)
  return { of, count }
}

function placeOf(sorted: Float64Array, count: number, value: number): number {
  let low = 0
  let high = count - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}

/** The rows in the order of their keys, equal keys in the order of the rows. @param count keys are below it */
export function orderBy(keys: Int32Array, count: number): Int32Array {
  const next = new Int32Array(count + 1)
  for (let row = 0; row < keys.length; row++)
    next[(keys[row] as number) + 1] = (next[(keys[row] as number) + 1] ?? 0) + 1
  for (let key = 0; key < count; key++) next[key + 1] = (next[key + 1] ?? 0) + (next[key] ?? 0)
  const order = new Int32Array(keys.length)
  for (let row = 0; row < keys.length; row++) {
    const key = keys[row] as number
    const place = next[key] as number
    order[place] = row
    next[key] = place + 1
  }
  return order
}
