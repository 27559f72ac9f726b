/**
 * ULIDs (26 characters of Crockford base 32: 48 bits of time, 80 of randomness): run ids that sort by start time.
 */
import { randomBytes } from 'node:crypto'

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** @param time milliseconds since 1970, as from `Date.getTime()` */
export function ulid(time: number): string {
  let head = ''
  let rest = time
  for (let i = 0; i < 10; i++) {
    head = ALPHABET.charAt(rest % 32) + head
    rest = Math.floor(rest / 32)
  }
  let tail = ''
  for (const byte of randomBytes(16)) tail += ALPHABET.charAt(byte % 32)
  return head + tail
}

/** Exactly 26 characters of the alphabet; the first at most 7 so that the time fits 48 bits. */
export const isUlid = (text: string): boolean => /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(text)

/** Milliseconds since 1970 in the first ten characters of a ULID. */
export const ulidTime = (id: string): number =>
  [...id.slice(0, 10)].reduce((sum, character) => sum * 32 + ALPHABET.indexOf(character), 0)
