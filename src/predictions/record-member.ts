/** Members of a prediction record that its rows can be looked at by, though the model is not given them. Pure. */
import { sqlText } from '../data/duck.ts'

/** `status` and `error` are not among them: rows of failed requests have no answer to look at. */
export const RECORD_MEMBERS = ['segment', 'user', 'variant', 'tags.NAME'] as const

const TAG = /^tags\.(.+)$/s

export interface RecordMember {
  /** Columns of a record that it is made of. */
  readonly columns: readonly string[]
  /** Its text, over these. */
  readonly sql: string
}

/** @returns undefined for what is no such member */
export function recordMember(name: string): RecordMember | undefined {
  if (name === 'segment' || name === 'user' || name === 'variant') return { columns: [name], sql: `"${name}"` }
  const tag = TAG.exec(name)?.[1]
  if (tag === undefined || tag.includes('\0')) return undefined
  return {
    columns: ['tags'],
    sql: `json_transform(tags, ${sqlText(JSON.stringify({ [tag]: 'VARCHAR' }))})['${tag.replaceAll("'", "''")}']`,
  }
}
