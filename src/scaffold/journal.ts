/**
 * The plan of an update as it is written down before the first file is touched (`pending.json`), and whether one that is
 * found may be gone on with. It may have come with somebody else's repository: only what this program could have meant is
 * carried out. Writing it and carrying it out is in apply.ts.
 */
import { join } from 'node:path'
import { type Digest, isDigest, sha256 } from '../core/digest.ts'
import { failed } from '../core/errors.ts'
import { shellWord } from '../core/shell.ts'
import { openGit } from '../project/git-run.ts'
import { MEMORY, memoryFolder, pathProblem } from './paths.ts'
import { lookAt, readAnswers, validAnswers } from './remember.ts'
import type { AnswersFile, ScaffoldKind } from './types.ts'

export interface Journal {
  readonly format: 1
  readonly writes: readonly Write[]
  readonly removes: readonly { readonly path: string; readonly before: Digest | null }[]
  /** Base contents that change, by path. */
  readonly base: Readonly<Record<string, string>>
  readonly forget: readonly string[]
  readonly answers: AnswersFile
}

export interface Write {
  readonly path: string
  readonly content: string
  readonly mode: number
  /** Of the bytes that stood there; null: nothing did. */
  readonly before: Digest | null
}

const notOurs = (path: string, why: string) =>
  failed({
    code: 'SCAFFOLD_MEMORY_DAMAGED',
    message: `${path}, which says what an interrupted update still has to do, is not gone on with: ${why}. Nothing was touched.`,
    hint: `Take it away and run it again; what differs is then merged, or shown as a conflict: rm ${shellWord(path)}`,
  })

type Env = Readonly<Record<string, string | undefined>>

/** @throws failed `SCAFFOLD_MEMORY_DAMAGED` naming what no update of ours would hold */
export async function readJournal(folder: string, kind: ScaffoldKind, env: Env): Promise<Journal> {
  const path = join(memoryFolder(folder, kind), 'pending.json')
  const no = (why: string) => notOurs(path, why)
  if (await isTracked(folder, `${MEMORY}/${kind}/pending.json`, env))
    throw no('git tracks it, and an interrupted update is never committed')
  const found = await lookAt(memoryFolder(folder, kind), 'pending.json')
  if (found?.kind !== 'file') throw no(found === undefined ? 'it is gone' : `it is ${found.why}`)
  const journal = parsed(found.text, path, kind, no)
  const known = (await readAnswers(folder, kind))?.files ?? {}
  for (const write of journal.writes) {
    const problem = await writeProblem(folder, write, journal, known)
    if (problem !== undefined) throw no(`it would write ${JSON.stringify(write.path)}, ${problem}`)
  }
  for (const { path: gone, before } of journal.removes) {
    const disk = await lookAt(folder, gone)
    // Gone already, or edited: then nothing would be removed, and the answers may be the new ones.
    const isIdle = disk === undefined || (disk.kind === 'file' && disk.digest !== before)
    if (!isIdle && !isKept(known, gone))
      throw no(`it would remove ${JSON.stringify(gone)}, which was not generated or is yours`)
  }
  for (const [each, content] of Object.entries(journal.base)) {
    if (entry(journal.answers.files, each)?.sha256 !== sha256(content))
      throw no(`the beginning of ${JSON.stringify(each)} is not the one whose digest it names`)
  }
  return journal
}

type Files = AnswersFile['files']
const entry = (files: Files, path: string) => (Object.hasOwn(files, path) ? files[path] : undefined)
const isKept = (files: Files, path: string): boolean => {
  const care = entry(files, path)?.care
  return care !== undefined && care !== 'yours'
}

/** @returns why this is nothing that an update of ours would write, or undefined */
async function writeProblem(
  folder: string,
  { path, mode, before }: Write,
  { answers }: Journal,
  known: Files,
): Promise<string | undefined> {
  const meant = entry(answers.files, path)
  if (meant === undefined) return 'which is none of the files that it says it generates'
  const disk = await lookAt(folder, path)
  // A file that is as it was meant, or that was edited, is left alone anyway.
  const isIdle = disk?.kind === 'file' && disk.digest !== before
  if (disk !== undefined && !isIdle && entry(known, path)?.care === 'yours') return 'which is yours'
  if (meant.care === 'yours' && before !== null) return 'which would be yours and stands there'
  // Permissions stay as a person has them; nothing else than those of a plain file is ever given.
  const usual = [0o644, 0o755]
  const own = disk?.kind === 'file' ? [disk.mode, disk.mode | 0o111] : []
  return usual.includes(mode) || own.includes(mode) ? undefined : `with the mode ${mode.toString(8)}`
}

function parsed(text: string, path: string, kind: ScaffoldKind, no: (why: string) => Error): Journal {
  let journal: Partial<Journal> | null
  try {
    journal = JSON.parse(text) as Partial<Journal> | null
  } catch {
    throw no('it is no JSON')
  }
  const { writes = [], removes = [], base = {}, forget = [] } = journal ?? {}
  const isWhole =
    journal?.format === 1 &&
    [writes, removes, forget].every(Array.isArray) &&
    typeof base === 'object' &&
    writes.every((each) => typeof each?.content === 'string' && Number.isInteger(each.mode) && isBefore(each.before)) &&
    removes.every((each) => isBefore(each?.before)) &&
    Object.values(base).every((content) => typeof content === 'string')
  if (!isWhole) throw no('parts of it are missing')
  const paths = [...writes, ...removes].map((each) => each.path).concat(Object.keys(base), forget)
  const wrong = paths.find((each) => typeof each !== 'string' || pathProblem(each) !== undefined)
  if (wrong !== undefined) throw no(`the path ${JSON.stringify(wrong)} is not allowed`)
  return { format: 1, writes, removes, base, forget, answers: validAnswers(journal?.answers, path, kind) }
}

const isBefore = (value: unknown): boolean => value === null || isDigest(value)

/** False where there is no git, or no repository: then nobody can have committed it. */
async function isTracked(folder: string, path: string, env: Env): Promise<boolean> {
  try {
    const git = await openGit(folder, env)
    return (await git(['ls-files', '--', path])).trim() !== ''
  } catch {
    return false
  }
}
