/** JSON as Python's `json.dump` writes it by default: with bare NaN, Infinity and -Infinity. */

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g
const MARK = '\u0000mlops:'
/** Only such texts can overflow: an exponent of three digits, or very many digits. */
const MAY_OVERFLOW = /\d[eE]\+?\d{3}|\d{300}/

/**
 * @param tooLarge told the name of each number that is finite as it was written and beyond a double (`1e400`), which
 *   is left out: it is not infinity
 * @returns the value, non-finite numbers included, or undefined for what is no JSON
 */
export function parseLenientJson(text: string, tooLarge: (name: string) => void = () => {}): unknown {
  const bare = text.includes('NaN') || text.includes('Infinity')
  try {
    if (!bare && !MAY_OVERFLOW.test(text)) return JSON.parse(text)
    // A real string cannot hold the mark: JSON has no raw NUL in strings.
    const marked = text.replace(TOKEN, (token) => (token.startsWith('"') ? token : JSON.stringify(MARK + token)))
    return JSON.parse(marked, (key, value: unknown) => {
      if (typeof value === 'string' && value.startsWith(MARK)) return Number(value.slice(MARK.length))
      if (typeof value !== 'number' || Number.isFinite(value)) return value
      tooLarge(key)
      return undefined
    })
  } catch {
    return undefined
  }
}
