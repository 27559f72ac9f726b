/**
 * Text with the line ends of Unix, as DVC before version 3 hashed it, piece by piece of 1 MiB: a piece whose first 512
 * bytes look like text. `hash-worker.ts` has the same for files of folders.
 */
const LOOKED_AT = 512

export function unixLines(piece: Buffer): Buffer {
  if (looksBinary(piece.subarray(0, LOOKED_AT))) return piece
  return Buffer.from(piece.toString('latin1').replaceAll('\r\n', '\n'), 'latin1')
}

/** A NUL, or more than 30 % that is neither ASCII text nor a line end, tab, form feed or backspace. */
function looksBinary(bytes: Buffer): boolean {
  let odd = 0
  for (const byte of bytes) {
    if (byte === 0) return true
    const isText = (byte >= 32 && byte < 127) || (byte >= 8 && byte <= 13 && byte !== 11)
    if (!isText) odd++
  }
  return odd / bytes.length > 0.3
}
