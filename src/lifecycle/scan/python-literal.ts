/** The few Python literals that the header of a NumPy file consists of. */

export type Literal = string | number | boolean | null | readonly Literal[] | ReadonlyMap<string, Literal>

const DEEPEST = 20

/** @returns undefined for anything that is not a literal of strings, integers, tuples, lists and dicts */
export function parseLiteral(text: string): Literal | undefined {
  const tokens = text.match(/\s+|'[^'\\\n]*'|"[^"\\\n]*"|-?\d{1,15}L?|True|False|None|[[\](){},:]|./gsu) ?? []
  const cursor = { tokens: tokens.filter((token) => token.trim() !== ''), at: 0 }
  try {
    const value = parseValue(cursor, 0)
    return cursor.at === cursor.tokens.length ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

interface Cursor {
  readonly tokens: readonly string[]
  at: number
}

function parseValue(cursor: Cursor, depth: number): Literal {
  const token = cursor.tokens[cursor.at++] ?? ''
  if (depth > DEEPEST) throw new SyntaxError('too deep')
  if (token === '(' || token === '[') return parseItems(cursor, token === '(' ? ')' : ']', depth)
  if (token === '{') return parseDict(cursor, depth)
  if (/^['"]/.test(token) && token.length > 1) return token.slice(1, -1)
  if (/^-?\d/.test(token)) return Number.parseInt(token, 10)
  if (token === 'True' || token === 'False') return token === 'True'
  if (token === 'None') return null
  throw new SyntaxError(token)
}

function parseItems(cursor: Cursor, close: string, depth: number): Literal[] {
  const items: Literal[] = []
  while (cursor.tokens[cursor.at] !== close) {
    items.push(parseValue(cursor, depth + 1))
    if (cursor.tokens[cursor.at] === ',') cursor.at++
    else if (cursor.tokens[cursor.at] !== close) throw new SyntaxError('no comma')
  }
  cursor.at++
  return items
}

function parseDict(cursor: Cursor, depth: number): ReadonlyMap<string, Literal> {
  const entries = new Map<string, Literal>()
  while (cursor.tokens[cursor.at] !== '}') {
    const key = parseValue(cursor, depth + 1)
    if (typeof key !== 'string' || cursor.tokens[cursor.at++] !== ':' || entries.has(key))
      throw new SyntaxError('no key')
    entries.set(key, parseValue(cursor, depth + 1))
    if (cursor.tokens[cursor.at] === ',') cursor.at++
    else if (cursor.tokens[cursor.at] !== '}') throw new SyntaxError('no comma')
  }
  cursor.at++
  return entries
}
