/** JSON as Python's `json.dump` writes it by default: with bare NaN, Infinity and -Infinity. */

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g
const MARK = '\u0000mlops:'

/** @returns the value, non-finite numbers included, or undefined for what is no JSON */
export function parseLenientJson(text: string): unknown {
  const bare = text.includes('NaN') || text.includes('Infinity')
  try {
    if (!bare) return JSON.parse(text)
    // A real string cannot hold the mark: JSON has no raw NUL in strings.
    const marked = text.replace(TOKEN, (token) => (token.startsWith('"') ? token : JSON.stringify(MARK + token)))
    return JSON.parse(marked, (_key, value: unknown) =>
      typeof value === 'string' && value.startsWith(MARK) ? Number(value.slice(MARK.length)) : value,
    )
  } catch {
    return undefined
  }
}
