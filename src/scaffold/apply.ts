/**
 * Carries a plan out; nothing else of scaffolding writes. First the whole plan is written down (`pending.json`), then every
 * file is replaced by one rename, then the base contents and the answers, then `pending.json` is removed. Killed at any
 * instant, the next run finishes what was written down; a file that somebody edited in between stays, and keeps its old
 * base, so that the run after that merges it.
 */
import { chmod, mkdir, open, readFile, rename, rm, rmdir, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { canonicalBytes } from '../core/canonical-json.ts'
import { type Digest, sha256 } from '../core/digest.ts'
import { failed, isMlopsError, systemCode } from '../core/errors.ts'
import { type Journal, readJournal, type Write } from './journal.ts'
import { MEMORY, wayProblem } from './paths.ts'
import { readAnswers } from './remember.ts'
import type { AnswersFile, GeneratedFile, Remembered, ScaffoldKind, ScaffoldPlan } from './types.ts'

/**
 * @param conflicts also write the files that conflict, with markers
 * @returns the paths that were edited while it ran, and so were left as they are
 */
export async function applyPlan(
  plan: ScaffoldPlan,
  before: Remembered,
  tool: string,
  conflicts: boolean,
): Promise<readonly string[]> {
  return await saying(plan.folder, async () => {
    const journal = journalOf(plan, before, tool, conflicts)
    const place = placeOf(plan.folder, plan.kind)
    await clearTemporary(place)
    await writeWhole(place, `${MEMORY}/.gitignore`, IGNORE, 0o644)
    await writeWhole(place, `${place.memory}/pending.json`, canonicalBytes(journal), 0o644)
    return await carryOut(place, journal)
  })
}

/** Of the memory everything is committed but what is there for an instant. */
const IGNORE = '*/pending.json\n*/tmp/\n'

/** What an update that had been interrupted came to. */
export interface Finished {
  /** Paths that it named and that are now as it meant them. */
  readonly written: readonly string[]
  readonly removed: readonly string[]
  /** Edited since, and so left as they are. */
  readonly edited: readonly string[]
}

/**
 * Finishes an update that was interrupted, if what is written down is one that this program could have meant.
 * @throws failed `SCAFFOLD_MEMORY_DAMAGED`, and nothing was touched
 */
export async function finishInterrupted(
  folder: string,
  kind: ScaffoldKind,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Finished> {
  return await saying(folder, async () => {
    const journal = await readJournal(folder, kind, env)
    await clearTemporary(placeOf(folder, kind))
    const edited = await carryOut(placeOf(folder, kind), journal)
    return {
      written: journal.writes.map(({ path }) => path).filter((path) => !edited.includes(path)),
      removed: journal.removes.map(({ path }) => path),
      edited,
    }
  })
}

interface Place {
  /** Absolute. */
  readonly folder: string
  readonly kind: ScaffoldKind
  /** `.mlops-scaffold/<kind>`. */
  readonly memory: string
}

const placeOf = (folder: string, kind: ScaffoldKind): Place => ({ folder, kind, memory: `${MEMORY}/${kind}` })

function journalOf(plan: ScaffoldPlan, before: Remembered, tool: string, conflicts: boolean): Journal {
  const writes: Write[] = []
  const removes: Journal['removes'][number][] = []
  const known = before.answers?.files ?? {}
  const files: Record<string, AnswersFile['files'][string]> = {}
  const base: Record<string, string> = {}
  const generated = new Map(plan.scaffold.files.map((file) => [file.path, file]))
  for (const change of plan.changes) {
    const { path, action } = change
    const file = generated.get(path)
    const isWritten = 'content' in change && change.content !== null && (action !== 'conflict' || conflicts)
    if (isWritten && 'content' in change && change.content !== null) {
      writes.push({ path, content: change.content, mode: change.mode, before: change.before })
    }
    if (action === 'remove') removes.push({ path, before: change.before })
    if (file === undefined) continue
    const previous = known[path]
    // What a person deleted keeps the base it was deleted from: brought back, it is compared with that.
    const staysBehind = action === 'deleted' || (action === 'conflict' && !isWritten)
    if (staysBehind && previous !== undefined) files[path] = previous
    else if (!staysBehind) remember(file, before, files, base)
  }
  const forget = Object.keys(known).filter((path) => !Object.hasOwn(files, path))
  const { kind, answers } = plan.scaffold
  return { format: 1, writes, removes, base, forget, answers: { format: 1, kind, tool, answers, files } }
}

function remember(
  { path, care, content }: GeneratedFile,
  before: Remembered,
  files: Record<string, AnswersFile['files'][string]>,
  base: Record<string, string>,
): void {
  const previous = before.answers?.files[path]
  files[path] = care === 'yours' && previous !== undefined ? { ...previous, care } : { sha256: sha256(content), care }
  if (care !== 'yours' && before.base.get(path) !== content) base[path] = content
}

async function carryOut(place: Place, journal: Journal): Promise<readonly string[]> {
  const { folder, kind, memory } = place
  const edited: string[] = []
  for (const { path, content, mode, before } of journal.writes) {
    await assertWay(folder, path)
    const now = await digestAt(folder, path)
    if (now === sha256(content)) continue
    if (now === before) await writeWhole(place, path, content, mode)
    else edited.push(path)
  }
  for (const { path, before } of journal.removes) {
    await assertWay(folder, path)
    if ((await digestAt(folder, path)) === before) await removeFile(folder, path)
  }
  const skipped = new Set(edited)
  for (const [path, content] of Object.entries(journal.base)) {
    if (!skipped.has(path)) await writeWhole(place, `${memory}/base/${path}`, content, 0o644)
  }
  for (const path of journal.forget) {
    await assertWay(folder, `${memory}/base/${path}`)
    await removeFile(join(folder, memory, 'base'), path)
  }
  const answers = await withoutEdited(folder, kind, journal.answers, skipped)
  const text = `${JSON.stringify(sorted(answers), undefined, 2)}\n`
  await writeWhole(place, `${memory}/answers.json`, text, 0o644)
  await clearTemporary(place)
  await unlink(join(folder, memory, 'pending.json'))
  return edited
}

/** What was not written keeps what is known of it. */
async function withoutEdited(
  folder: string,
  kind: ScaffoldKind,
  answers: AnswersFile,
  edited: ReadonlySet<string>,
): Promise<AnswersFile> {
  if (edited.size === 0) return answers
  const known = (await readAnswers(folder, kind))?.files ?? {}
  const files = { ...answers.files }
  for (const path of edited) {
    const previous = known[path]
    if (previous === undefined) delete files[path]
    else files[path] = previous
  }
  return { ...answers, files }
}

/** Read by people in reviews, so one member a line, in one order. */
const sorted = (answers: AnswersFile): unknown => JSON.parse(canonicalBytes(answers).toString('utf8'))

/** One rename: a reader sees the old file or the new one. The temporary file never lies among a person's own. */
async function writeWhole(
  { folder, memory }: Place,
  path: string,
  content: string | Uint8Array,
  mode: number,
): Promise<void> {
  await assertWay(folder, path)
  const full = join(folder, ...path.split('/'))
  const temporary = join(folder, memory, 'tmp', sha256(path))
  await mkdir(dirname(temporary), { recursive: true })
  await mkdir(dirname(full), { recursive: true })
  const file = await open(temporary, 'wx', mode)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  await chmod(temporary, mode)
  await rename(temporary, full)
}

async function clearTemporary({ folder, memory }: Place): Promise<void> {
  await assertWay(folder, `${memory}/tmp/x`)
  await rm(join(folder, memory, 'tmp'), { recursive: true, force: true })
}

async function removeFile(folder: string, path: string): Promise<void> {
  const parts = path.split('/')
  try {
    await unlink(join(folder, ...parts))
    for (let end = parts.length - 1; end > 0; end--) await rmdir(join(folder, ...parts.slice(0, end)))
  } catch (error) {
    // A folder that holds something else stays; a file that is gone already is what was wanted.
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(systemCode(error) ?? '')) throw error
  }
}

async function digestAt(folder: string, path: string): Promise<Digest | null> {
  try {
    return sha256(await readFile(join(folder, ...path.split('/'))))
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return null
    throw error
  }
}

async function assertWay(folder: string, path: string): Promise<void> {
  const problem = await wayProblem(folder, path)
  if (problem === undefined) return
  throw failed({
    code: 'SCAFFOLD_NOT_WRITTEN',
    message: `${join(folder, path)} is ${problem}, and is not written through.`,
    hint: 'Put a plain file or nothing in its place and run it again',
  })
}

/** A full disk, a folder that may not be written: what happened, and that nothing is half done. */
async function saying<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const code = systemCode(error)
    if (isMlopsError(error) || code === undefined) throw error
    throw failed({
      code: 'SCAFFOLD_NOT_WRITTEN',
      message: `Not everything could be written in ${folder} (${code}). What is missing is remembered.`,
      hint: 'Mend that and run the same command again: it finishes first',
      cause: error,
    })
  }
}
