/** The values of one metric in typed arrays: growing, put in order, thinned. Where lines come from is not known here. */

/** Values kept one by one; beyond, the earlier ones are thinned to half their number, again and again. */
const MOST = 1 << 21

export class Column {
  count = 0
  nonFinite = 0
  hasSteps = true
  min = Number.POSITIVE_INFINITY
  max = Number.NEGATIVE_INFINITY
  first = Number.NaN
  last = Number.NaN
  #firstTime = Number.POSITIVE_INFINITY
  #lastTime = Number.NEGATIVE_INFINITY
  #kept = 0
  #values = new Float64Array(64)
  #times = new Float64Array(64)
  #steps = new Float64Array(64)
  /** How many recorded values each kept one stands for. */
  #weights = new Float64Array(0)

  /** @param time milliseconds; NaN counts as just after the one before */
  push(value: number, time: number, step: unknown): void {
    if (this.#kept === this.#values.length) this.#makeRoom()
    const at = Number.isNaN(time) ? Math.max(this.#lastTime, 0) : time
    if (at < this.#firstTime) [this.#firstTime, this.first] = [at, value]
    if (at >= this.#lastTime) [this.#lastTime, this.last] = [at, value]
    if (!Number.isFinite(value)) this.nonFinite += 1
    else {
      if (value < this.min) this.min = value
      if (value > this.max) this.max = value
    }
    if (typeof step !== 'number') this.hasSteps = false
    this.#values[this.#kept] = value
    this.#times[this.#kept] = at
    this.#steps[this.#kept] = typeof step === 'number' ? step : Number.NaN
    if (this.#weights.length > 0) this.#weights[this.#kept] = 1
    this.#kept += 1
    this.count += 1
  }

  /** @param points at least 4. @returns in order of x, the ends of the history among them */
  thinned(points: number): { x: number; value: number }[] {
    const order = this.#inOrder(this.hasSteps ? this.#steps : this.#times)
    const xs = this.hasSteps ? this.#steps : this.#places(order)
    const at = (index: number): { x: number; value: number } => ({
      x: xs[index] ?? 0,
      value: this.#values[index] ?? Number.NaN,
    })
    if (order.length <= points) return Array.from(order, at)
    const [start, end] = [order[0] ?? 0, order[order.length - 1] ?? 0]
    const from = xs[start] ?? 0
    const buckets = Math.floor((points - 2) / 2)
    const scale = buckets / ((xs[end] ?? 0) - from || 1)
    const result = [at(start)]
    for (let next = 1; next < order.length - 1; ) {
      const bucket = Math.min(buckets - 1, Math.floor(((xs[order[next] ?? 0] ?? 0) - from) * scale))
      const begin = next
      while (next < order.length - 1) {
        const of = Math.min(buckets - 1, Math.floor(((xs[order[next] ?? 0] ?? 0) - from) * scale))
        if (of !== bucket) break
        next += 1
      }
      for (const index of this.#extremes(order, begin, next)) result.push(at(index))
    }
    result.push(at(end))
    return result
  }

  /** Places of the least and the greatest finite value, in order; one that is not finite where all are. */
  #extremes(order: Uint32Array, begin: number, end: number): number[] {
    let low = -1
    let high = -1
    for (let n = begin; n < end; n++) {
      const value = this.#values[order[n] ?? 0] ?? Number.NaN
      if (!Number.isFinite(value)) continue
      if (low < 0 || value < (this.#values[order[low] ?? 0] ?? 0)) low = n
      if (high < 0 || value > (this.#values[order[high] ?? 0] ?? 0)) high = n
    }
    if (low < 0) return [order[begin] ?? 0]
    const [one, two] = low < high ? [low, high] : [high, low]
    return one === two ? [order[one] ?? 0] : [order[one] ?? 0, order[two] ?? 0]
  }

  /** Indices sorted by `keys`, equal ones by time and then as they came: mostly they are in order already. */
  #inOrder(keys: Float64Array): Uint32Array {
    const order = Uint32Array.from({ length: this.#kept }, (_, n) => n)
    const compare = (a: number, b: number): number =>
      (keys[a] ?? 0) - (keys[b] ?? 0) || (this.#times[a] ?? 0) - (this.#times[b] ?? 0) || a - b
    for (let n = 1; n < this.#kept; n++) if (compare(n - 1, n) > 0) return order.sort(compare)
    return order
  }

  /** How many values were recorded before each. */
  #places(order: Uint32Array): Float64Array {
    const places = new Float64Array(this.#kept)
    let before = 0
    for (const index of order) {
      places[index] = before
      before += this.#weights[index] ?? 1
    }
    return places
  }

  #makeRoom(): void {
    if (this.#kept >= MOST) {
      this.#halve()
      return
    }
    const length = this.#values.length * 2
    this.#values = longer(this.#values, length)
    this.#times = longer(this.#times, length)
    this.#steps = longer(this.#steps, length)
  }

  /** Of each four that came after each other the least and the greatest stay. */
  #halve(): void {
    if (this.#weights.length === 0) this.#weights = new Float64Array(this.#values.length).fill(1)
    const order = Uint32Array.from({ length: this.#kept }, (_, n) => n)
    let kept = 0
    for (let begin = 0; begin < this.#kept; begin += 4) {
      const end = Math.min(begin + 4, this.#kept)
      const chosen = this.#extremes(order, begin, end)
      const weight = this.#weights.subarray(begin, end).reduce((sum, one) => sum + one, 0) / chosen.length
      for (const index of chosen) {
        this.#values[kept] = this.#values[index] ?? Number.NaN
        this.#times[kept] = this.#times[index] ?? 0
        this.#steps[kept] = this.#steps[index] ?? Number.NaN
        this.#weights[kept] = weight
        kept += 1
      }
    }
    this.#kept = kept
  }
}

function longer(old: Float64Array<ArrayBuffer>, length: number): Float64Array<ArrayBuffer> {
  const made = new Float64Array(length)
  made.set(old)
  return made
}
