/** Names of people whose word counts: who is meant by one, and what is no name. How far it can be believed is decided elsewhere. */
import { redactText } from './redact.ts'

export const LONGEST_PERSON = 200

/**
 * Who a name stands for: `ada`, `Ada` and `ada@laptop` are one person, whose word counts once. What comes after the `@`
 * is a machine or a mail server, and says nothing of who somebody is. Letters that only look different, and what cannot
 * be seen, make nobody somebody else.
 */
export const personOf = (name: string): string =>
  (
    name
      .normalize('NFKC')
      .replace(/[\p{Cc}\p{Cf}]/gu, '')
      .trim()
      .replace(/^@/, '')
      .split('@', 1)[0] ?? ''
  )
    .replace(/\s+/gu, ' ')
    .replace(/[.\s]+$/u, '')
    .trim()
    .toLowerCase()
    .normalize('NFKC')

const ALPHABETS = [
  ['Latin', /\p{Script=Latin}/u],
  ['Cyrillic', /\p{Script=Cyrillic}/u],
  ['Greek', /\p{Script=Greek}/u],
] as const

/** @returns why this is no name of a person, or undefined when it can be one */
export function personProblem(name: string): string | undefined {
  const plain = name.normalize('NFKC')
  if (name.trim() === '' || name.length > LONGEST_PERSON) return `it must have 1 to ${LONGEST_PERSON} characters`
  if (!name.isWellFormed() || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(plain))
    return 'it holds characters that cannot be seen'
  if (personOf(name) === '') return 'it names nobody'
  const mixed = ALPHABETS.filter(([, letters]) => letters.test(plain)).map(([alphabet]) => alphabet)
  if (mixed.length > 1) {
    return `it mixes ${mixed.join(' and ')} letters, some of which look the same; write it in one alphabet`
  }
  return redactText(name) === name ? undefined : 'it looks like a secret, and it would be kept for ever'
}

/** A name as it may be printed in an error: without what looks like a secret, what cannot be seen as its code. */
export const shownPerson = (name: string): string =>
  JSON.stringify(redactText(name).slice(0, 80)).replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`,
  )
