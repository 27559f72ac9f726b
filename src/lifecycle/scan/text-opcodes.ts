/** Arguments of the text opcodes of protocol 0. Undefined where Python's reading cannot be given with certainty. */

/** `12`, as PUT, GET, INT and LONG have it. */
export function decimal(line: Buffer | 'long'): number | undefined {
  if (line === 'long' || line.length > 15) return undefined
  const text = line.toString('latin1')
  return /^-?\d+$/.test(text) ? Number(text) : undefined
}

/** The quoted text of STRING. Escapes are left alone: a name written with any is followed no further. */
export function decodeString(line: Buffer | 'long'): string | undefined {
  if (line === 'long') return undefined
  const match = /^\s*(['"])([ -[\]-~]*)\1\s*$/.exec(line.toString('latin1'))
  return match === null || match[2]?.includes(match[1] ?? '') ? undefined : match[2]
}

/** The raw-unicode-escape text of UNICODE: Latin-1 with `\uXXXX` and `\UXXXXXXXX`. */
export function decodeUnicode(line: Buffer | 'long'): string | undefined {
  if (line === 'long') return undefined
  const text = line.toString('latin1')
  if (!text.includes('\\')) return text
  if (/\\\\|\\U(?!0010|000[0-9a-fA-F])/.test(text)) return undefined
  return text.replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (_whole, short?: string, long?: string) =>
    String.fromCodePoint(Number.parseInt(short ?? long ?? '', 16)),
  )
}

/** Could a module or an attribute be called that? Used only where bytes are read that are probably no names at all. */
export const isPlausibleName = (name: string): boolean =>
  name.length <= 512 && /^[\p{ID_Start}_][\p{ID_Continue}_]*(?:\.[\p{ID_Start}_][\p{ID_Continue}_]*)*$/u.test(name)
