/** Did-you-mean, for commands, models, stages and configuration keys. */

/** A single letter begins too many words to mean one. */
const SHORTEST_PREFIX = 2

/** @returns the only candidate that begins with the word, else the one within an edit distance of about a third of it */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (word === '') return undefined
  const longer = candidates.filter((candidate) => candidate.toLowerCase().startsWith(word.toLowerCase()))
  if (longer.length === 1 && word.length >= SHORTEST_PREFIX) return longer[0]
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase(), bestDistance)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** Optimal string alignment (Damerau): a swap of neighbours counts one. Gives `limit` once it is reached. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1)
      }
      row.push(cost)
    }
    beforeLast = last
    last = row
  }
  return Math.min(limit, last[b.length] ?? limit)
}
