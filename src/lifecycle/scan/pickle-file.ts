/**
 * A file, or a decompressed stream, that holds pickles: one, several behind each other, or joblib's mixture of opcodes
 * and raw arrays. Two programs may read such bytes in two ways; both are walked.
 */
import { type WalkEnd, type WalkOptions, walkPickle } from './pickle.ts'
import { ByteReader, type ByteSource } from './reader.ts'
import { Report } from './report.ts'

/** torch.save before 1.6: the first of five pickles is this number, then raw storages follow. */
const LEGACY_TORCH = Buffer.from('6cfc9c46f9206aa85019', 'hex')
const LEGACY_PICKLES = 5
/** Behind each other in one file. More are no way to store a model. */
const MOST_PICKLES = 1_000

type Open = () => ByteSource | Promise<ByteSource>

/** Walks everything in the stream as `joblib.load`, `pickle.load` and `torch.load` would. `open` starts it anew. */
export async function scanPickles(open: Open, report: Report): Promise<void> {
  const reader = new ByteReader(await open())
  await reader.fill(20)
  // PROTO 2, LONG1 10, the magic number, STOP.
  const isTorch = reader.peek(15).subarray(4, 14).equals(LEGACY_TORCH)
  const options: WalkOptions = { report, arrays: 'joblib', persistent: isTorch ? 'tensor' : 'doubt' }
  let divergesAt: number | undefined
  for (let count = 1; ; count++) {
    const from = reader.position
    const end = await walkPickle(reader, options)
    divergesAt ??= end.divergesAt
    if (end.how !== 'stop') {
      const trailing = count > 1 && end.how === 'malformed' && !end.ran
      report.doubt(trailing ? `bytes that are no pickle from byte ${from} on` : sentenceOf(end))
      break
    }
    if (isTorch && count === LEGACY_PICKLES) break
    if (await reader.atEnd()) break
    if (count === MOST_PICKLES) {
      report.doubt(`more than ${MOST_PICKLES} pickles in one file`)
      break
    }
  }
  if (divergesAt !== undefined) await scanAsOpcodes(open, divergesAt, report)
}

/** What a plain `pickle.load` would make of raw array bytes: almost always an error at once, unless somebody meant it. */
async function scanAsOpcodes(open: Open, from: number, report: Report): Promise<void> {
  await scanUnlikely(new ByteReader(await open()), from, report)
}

/**
 * Walks bytes that are probably no pickle, as the wrong loader would. What it would run before it fails is reported; its
 * failure itself is expected and says nothing.
 * @returns how the walk ended
 */
export async function scanUnlikely(reader: ByteReader, guessFrom: number, report: Report): Promise<WalkEnd> {
  const found = new Report()
  const end = await walkPickle(reader, { report: found, arrays: 'opcodes', persistent: 'doubt', guessFrom })
  if (end.how === 'lost' || end.how === 'too much') report.doubt(sentenceOf(end))
  // Importing alone does nothing that the walk could not follow, and plain text imports by accident: "cat\ndog\n".
  if (found.dangerous && (end.ran || end.how === 'stop')) report.add(found)
  return end
}

function sentenceOf({ how, at }: WalkEnd): string {
  if (how === 'truncated') return 'the pickle is cut short'
  if (how === 'malformed') return `the pickle is malformed at byte ${at}`
  if (how === 'too much') return 'the pickle holds more than can be followed'
  return `the bytes before ${at} can be read in more than one way`
}
