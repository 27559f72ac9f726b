/** The md5 by which DVC knows a folder, `….dir`: that of a JSON list of its files, written as Python writes it. Pure. */
import { createHash } from 'node:crypto'

export type Listing = readonly { readonly md5: string; readonly relpath: string }[]

/** DVC leaves these out whatever `.dvcignore` says. */
const NEVER = new Set(['.git', '.hg', '.dvc'])

export const listedByDvc = (path: string): boolean => !path.split('/').some((part) => NEVER.has(part))

/** `[{"md5": "…", "relpath": "…"}, …]`, sorted by the code points of the paths, what is not ASCII escaped. */
export function digestOfListing(listing: Listing): string {
  const items = listing
    .map(({ md5, relpath }) => ({ md5, relpath, order: Buffer.from(relpath, 'utf8') }))
    .sort((a, b) => Buffer.compare(a.order, b.order))
    .map(({ md5, relpath }) => `{"md5": ${json(md5)}, "relpath": ${json(relpath)}}`)
  return `${createHash('md5')
    .update(`[${items.join(', ')}]`)
    .digest('hex')}.dir`
}

/** The files below `folder`, by their paths in it. */
export const within = (listing: Listing, folder: string): Listing =>
  listing
    .filter(({ relpath }) => relpath.startsWith(`${folder}/`))
    .map(({ md5, relpath }) => ({ md5, relpath: relpath.slice(folder.length + 1) }))

/** @param bytes of a `.dir` object. Undefined for anything else. */
export function listingOf(bytes: Buffer | undefined): Listing | undefined {
  if (bytes === undefined) return undefined
  try {
    const parsed: unknown = JSON.parse(bytes.toString('utf8'))
    if (!Array.isArray(parsed)) return undefined
    return parsed.flatMap((each: unknown) => {
      const { md5, relpath } = (each ?? {}) as { md5?: unknown; relpath?: unknown }
      return typeof md5 === 'string' && typeof relpath === 'string' ? [{ md5, relpath }] : []
    })
  } catch {
    return undefined
  }
}

/** As `json.dumps` of Python: ASCII alone, lower-case hex. */
const json = (text: string): string =>
  JSON.stringify(text).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
