/**
 * One id in one day of a log kept in files: its lines, its compacted parts, its labels. In which order days are looked
 * at is in `find.ts`.
 */
import { join } from 'node:path'
import { systemCode } from '../core/errors.ts'
import { type Duck, openDuck, sqlPath, sqlText } from '../data/duck.ts'
import { displayPath } from '../project/load.ts'
import { type CompactedPart, type LogDay, type LogFile, listDays, readDay, unmatchedLabels } from './days.ts'
import { lineNumber, linesWith, writtenAs } from './find-lines.ts'
import { type FoundRecord, type Members, objectIn, recordOf, recordProblem } from './find-record.ts'

export interface FoundInDay {
  readonly records: readonly FoundRecord[]
  /** Lines with the id that are no records, and why. */
  readonly rejected: readonly RejectedLine[]
  /** Other ids that begin with the text: for somebody who typed a part of one. */
  readonly alike: readonly string[]
}

export interface RejectedLine {
  readonly place: string
  readonly why: string
}

export interface FoundLabel {
  readonly value: string | number | boolean
  /** When it was recorded. */
  readonly time: string | null
  readonly place: string
}

/** More are of no help to anybody. */
export const ALIKE = 5
/** A compaction that goes on meanwhile moves files: the day is listed again. */
const ATTEMPTS = 4

/** An id that is looked for in one model's folder. `close` it. */
export class FolderSearch {
  readonly #needles: readonly Buffer[]
  #duck: { readonly files: ReadonlySet<string>; readonly opened: Duck } | undefined

  constructor(
    private readonly folder: string,
    private readonly model: string,
    private readonly id: string,
    private readonly options: { readonly cwd: string; readonly signal?: AbortSignal },
  ) {
    this.#needles = writtenAs(id)
  }

  /** @throws failed `PREDICTIONS_DAMAGED`, `PREDICTIONS_UNREADABLE`; the system's error for a file that is not ours */
  async day(date: string): Promise<FoundInDay> {
    for (let attempt = 1; ; attempt++) {
      const day = readDay(this.folder, date)
      try {
        const found = new Findings(this.id, this.model, day)
        for (const file of day.lines) this.#inLines(file, found)
        for (const part of day.compacted) await this.#inPart(part, found)
        return { records: found.records, rejected: found.rejected, alike: [...found.alike] }
      } catch (error) {
        if (systemCode(error) !== 'ENOENT' || attempt === ATTEMPTS) throw error
      }
    }
  }

  /** The label that counts (docs/prediction-log.md, section 4). */
  label(date: string): FoundLabel | undefined {
    const files = [...readDay(this.folder, date).labels, ...unmatchedLabels(this.folder)]
    let best: (FoundLabel & { readonly order: string }) | undefined
    for (const file of files) {
      for (const { text } of linesWith(file.path, this.#needles)) {
        const line = objectIn(text)
        const value = line?.label
        const isBare = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
        if (line === undefined || line.id !== this.id || !isBare) continue
        const time = typeof line.time === 'string' ? line.time : null
        const order = `${time ?? ''} ${file.name}`
        if (best === undefined || order >= best.order) best = { value, time, order, place: this.#name(file.path) }
      }
    }
    return best === undefined ? undefined : { value: best.value, time: best.time, place: best.place }
  }

  close(): void {
    this.#duck?.opened.close()
  }

  #inLines(file: LogFile, found: Findings): void {
    for (const { text, offset } of linesWith(file.path, this.#needles)) {
      found.line(text, () => `${this.#name(file.path)}, line ${lineNumber(file.path, offset)}`)
    }
  }

  async #inPart(part: CompactedPart, found: Findings): Promise<void> {
    const duck = await this.#open(part)
    const id = sqlText(this.id)
    const columns = [...TEXTS, ...NUMBERS].map((name) => `"${name}"`)
    const objects = JSONS.map((name) => `CAST("${name}" AS VARCHAR)`)
    const rows = await duck.rows(
      `SELECT id, strftime(time, '%Y-%m-%dT%H:%M:%S.%fZ'), CAST(version AS DOUBLE), raw, ${[...columns, ...objects].join(', ')}
       FROM read_parquet(${sqlPath(part.parquet)}, hive_partitioning=false)
       WHERE starts_with(id, ${id}) ORDER BY id = ${id} DESC, time, id LIMIT 100`,
    )
    for (const row of rows) found.row(membersOf(row, this.model), this.#name(part.parquet))
    if (part.manifest.torn === 0) return
    const rejected = join(part.folder, 'rejected.txt')
    try {
      for (const { text, offset } of linesWith(rejected, this.#needles)) {
        found.line(text, () => `${this.#name(rejected)}, line ${lineNumber(rejected, offset)}`)
      }
    } catch (error) {
      // Deleted by hand: it holds no records.
      if (systemCode(error) !== 'ENOENT') throw error
    }
  }

  /** One DuckDB for all parts: opening one takes longer than asking it. */
  async #open(part: CompactedPart): Promise<Duck> {
    if (this.#duck?.files.has(part.parquet)) return this.#duck.opened
    this.#duck?.opened.close()
    const parts = readable(this.folder)
    const files = new Set([...parts, part.parquet])
    this.#duck = { files, opened: await openDuck([...files], this.options.signal, { order: 'free' }) }
    return this.#duck.opened
  }

  #name(path: string): string {
    return displayPath(path, this.options.cwd)
  }
}

/** Parts of all days; a damaged day is said when that day is looked at. */
function readable(folder: string): string[] {
  try {
    return listDays(folder).flatMap((day) => day.compacted.map(({ parquet }) => parquet))
  } catch {
    return []
  }
}

const TEXTS = ['variant', 'status', 'error', 'user', 'segment'] as const
const NUMBERS = ['latency_ms', 'tokens', 'cost', 'sample_rate'] as const
const JSONS = ['features', 'output', 'tags'] as const

function membersOf([id, time, version, raw, ...rest]: readonly unknown[], model: string): Members {
  const whole = typeof raw === 'string' ? objectIn(raw) : undefined
  if (whole !== undefined) return whole
  const names = [...TEXTS, ...NUMBERS, ...JSONS]
  const isJson = (name: string): boolean => (JSONS as readonly string[]).includes(name)
  const members = names.map((name, index): [string, unknown] => {
    const value = rest[index]
    return [name, isJson(name) && typeof value === 'string' ? jsonOf(value) : value]
  })
  return { id, time, version, model, ...Object.fromEntries(members) }
}

export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** What the lines and rows of one day that hold the text turn out to be. */
class Findings {
  readonly records: FoundRecord[] = []
  readonly rejected: RejectedLine[] = []
  readonly alike = new Set<string>()

  constructor(
    private readonly id: string,
    private readonly model: string,
    private readonly day: LogDay,
  ) {}

  line(text: string, place: () => string): void {
    // Thousands of ids may begin with a text: once enough are known, only the whole one is of interest.
    const isWhole = text.includes(`${JSON.stringify(this.id)}`) || !isPlain(this.id)
    if (!isWhole && this.alike.size >= ALIKE) return
    const members = objectIn(text)
    if (members !== undefined) this.row(members, place)
    else if (isWhole) this.rejected.push({ place: place(), why: 'it is no whole line of JSON' })
  }

  row(members: Members, place: string | (() => string)): void {
    if (typeof members.id === 'number' && String(members.id) === this.id) {
      const where = typeof place === 'string' ? place : place()
      this.rejected.push({ place: where, why: 'its id is a number; an id is a text' })
      return
    }
    if (members.id !== this.id) {
      if (typeof members.id === 'string' && members.id.startsWith(this.id) && this.alike.size < ALIKE) {
        this.alike.add(members.id)
      }
      return
    }
    const where = typeof place === 'string' ? place : place()
    const why = recordProblem(members, this.model, this.day)
    if (why === undefined) this.records.push(recordOf(members, where))
    else this.rejected.push({ place: where, why })
  }
}

/** Written in one way only. */
const isPlain = (id: string): boolean => /^[\w.:@+-]*$/.test(id)
