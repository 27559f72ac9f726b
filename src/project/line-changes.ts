/** Which lines of a short text became which: for showing a change before it is made. */

export interface LineChange {
  readonly mark: '-' | '+' | ' '
  /** 1-based: of the old text for `-`, else of the new one. */
  readonly line: number
  readonly text: string
}

/** Unchanged lines shown around a change. */
const AROUND = 2
/** Beyond this the middle is shown as taken out and put in as a whole. */
const MOST_CELLS = 4_000_000

export function lineChanges(before: string, after: string): LineChange[] {
  if (before === after) return []
  const [a, b] = [linesOf(before), linesOf(after)]
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start++
  let end = 0
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++
  const all: LineChange[] = [
    ...b.slice(0, start).map((text, i): LineChange => ({ mark: ' ', line: i + 1, text })),
    ...middle(a.slice(start, a.length - end), b.slice(start, b.length - end), start),
    ...b.slice(b.length - end).map((text, i): LineChange => ({ mark: ' ', line: b.length - end + i + 1, text })),
  ]
  const isNear = (at: number) => all.slice(Math.max(0, at - AROUND), at + AROUND + 1).some(({ mark }) => mark !== ' ')
  return all.filter((_, at) => isNear(at))
}

const linesOf = (text: string): string[] => text.replace(/\r?\n$/, '').split(/\r?\n/)

/** The longest common subsequence by its table; what is not in it was taken out or put in. */
function middle(a: readonly string[], b: readonly string[], offset: number): LineChange[] {
  const taken = (i: number): LineChange => ({ mark: '-', line: offset + i + 1, text: a[i] ?? '' })
  const put = (j: number): LineChange => ({ mark: '+', line: offset + j + 1, text: b[j] ?? '' })
  if (a.length * b.length > MOST_CELLS) return [...a.map((_, i) => taken(i)), ...b.map((_, j) => put(j))]
  const width = b.length + 1
  const common = new Uint32Array((a.length + 1) * width)
  const at = (i: number, j: number): number => common[i * width + j] ?? 0
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const changes: LineChange[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      changes.push({ mark: ' ', line: offset + j + 1, text: b[j] ?? '' })
      i++
      j++
    } else if (i < a.length && (j >= b.length || at(i + 1, j) >= at(i, j + 1))) changes.push(taken(i++))
    else changes.push(put(j++))
  }
  return changes
}
