/** Command lines word by word: what each run has that the first has not, and the other way round. Pure. */

export interface Word {
  readonly text: string
  /** `changed`: not in the other command at this place. */
  readonly kind: 'same' | 'changed'
}

export interface CommandComparison {
  readonly same: boolean
  /** In the order of the runs. The words of the first are marked where any other run differs. */
  readonly lines: readonly (readonly Word[])[]
}

/** Longer commands are compared as a whole: the table of a longest common subsequence is quadratic. */
const LONGEST = 2000

export function compareCommands(commands: readonly (readonly string[])[]): CommandComparison {
  const first = commands[0] ?? []
  const kept = new Set(first.keys())
  const others = commands.slice(1).map((command) => {
    const pairs = commonWords(first, command)
    for (const at of [...kept]) if (!pairs.has(at)) kept.delete(at)
    const matched = new Set(pairs.values())
    return command.map((text, at): Word => ({ text, kind: matched.has(at) ? 'same' : 'changed' }))
  })
  const lead = first.map((text, at): Word => ({ text, kind: kept.has(at) ? 'same' : 'changed' }))
  const lines = [lead, ...others]
  return { same: lines.every((words) => words.every(({ kind }) => kind === 'same')), lines }
}

/** Positions of the words of a longest common subsequence, of `a` to those of `b`. */
function commonWords(a: readonly string[], b: readonly string[]): Map<number, number> {
  const pairs = new Map<number, number>()
  if (a.length > LONGEST || b.length > LONGEST) {
    if (a.length === b.length && a.every((word, at) => word === b[at])) for (const at of a.keys()) pairs.set(at, at)
    return pairs
  }
  const width = b.length + 1
  const lengths = new Uint16Array((a.length + 1) * width)
  const length = (i: number, j: number): number => lengths[i * width + j] ?? 0
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] = a[i] === b[j] ? length(i + 1, j + 1) + 1 : Math.max(length(i + 1, j), length(i, j + 1))
    }
  }
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) pairs.set(i++, j++)
    else if (length(i + 1, j) >= length(i, j + 1)) i += 1
    else j += 1
  }
  return pairs
}
