/** How a file that came out with other bytes differs, where that can be said in a phrase: by a path, by numbers. Reads only. */
import type { Store } from '../../store/store.ts'
import type { ResultRow } from './compare-runs.ts'

/** Larger ones are not looked into. Bytes. */
const MOST_BYTES = 4 << 20

export const BY_PATH = 'the same but for the path of the folder'
export const BY_NUMBERS = 'text that differs in numbers alone, as times do'

export interface Places {
  /** Folders that the outputs may name: of the user's checkout, and of the reproduction. */
  readonly top: string
  readonly mirror: string
}

export async function withArtifactNotes(
  store: Store,
  rows: readonly ResultRow[],
  places: Places,
): Promise<ResultRow[]> {
  const noted: ResultRow[] = []
  for (const row of rows) {
    const { kind, verdict, original, reproduced } = row
    const isOther = kind === 'artifact' && verdict === 'different'
    const note = isOther ? await noteOf(store, String(original), String(reproduced), places) : undefined
    noted.push(note === undefined ? row : { ...row, note })
  }
  return noted
}

async function noteOf(store: Store, a: string, b: string, places: Places): Promise<string | undefined> {
  const [before, after] = await Promise.all([textOf(store, a), textOf(store, b)])
  if (before === undefined || after === undefined) return undefined
  return differenceOf(before, after, places)
}

/** A file that was not kept is no reason to stop. */
async function textOf(store: Store, digest: string): Promise<string | undefined> {
  const bytes = await store.objects.read(digest).catch(() => undefined)
  return bytes === undefined || bytes.length > MOST_BYTES || bytes.includes(0) ? undefined : bytes.toString('utf8')
}

/** Pure. */
export function differenceOf(before: string, after: string, { top, mirror }: Places): string | undefined {
  const here = after.replaceAll(mirror, top)
  if (here === before) return BY_PATH
  const plain = (text: string): string =>
    text
      .replace(/\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\b/g, '#')
      .replace(/[-+]?\d[\d:.,TZe+-]*/g, '#')
  return plain(here) === plain(before) ? BY_NUMBERS : undefined
}
