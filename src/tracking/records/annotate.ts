/**
 * Saying something of a run after it was written: tags and notes. What was said is put together by `annotations.ts`;
 * the run itself never changes. Changes only what is said.
 */
import type { Context } from '../../core/context.ts'
import { isMlopsError, type MlopsError, usage } from '../../core/errors.ts'
import { redactText } from '../../core/redact.ts'
import { shellWord } from '../../core/shell.ts'
import { ulid, ulidTime } from '../../core/ulid.ts'
import type { Annotation } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'
import { checkedTags } from '../values/tags.ts'
import { notesOf, type RunNote, tagsWith } from './annotations.ts'
import { resolveRun } from './resolve-run.ts'
import { rowOf } from './run-row.ts'

export interface TagChange {
  readonly add: readonly string[]
  readonly remove: readonly string[]
  readonly by: string
  readonly time: string
}

export interface RunTags {
  readonly run: string
  /** As they are now. */
  readonly tags: readonly string[]
  readonly added: readonly string[]
  readonly removed: readonly string[]
  /** Who changed them since the run ended or while it went on, oldest first. */
  readonly history: readonly TagChange[]
}

export interface RunNotes {
  readonly run: string
  /** Null when nothing was to be noted. */
  readonly added: string | null
  /** Oldest first. */
  readonly notes: readonly RunNote[]
}

/** More are no tags but a database. */
const MOST_TAGS = 200
/** Characters: a paragraph or a stack trace, no file. */
export const LONGEST_NOTE = 10_000

/**
 * The same of several runs; all of them are found before any is changed.
 * @throws as `tagRun`; usage `TAG_NOT_ADDED` for a word that names no run after one that does
 */
export async function tagRuns(
  ctx: Context,
  store: Store,
  references: readonly string[],
  request: { readonly add: readonly string[]; readonly remove: readonly string[] },
): Promise<RunTags[]> {
  const ids: string[] = []
  for (const [at, reference] of references.entries()) {
    const id = await resolveRun(ctx, store, reference).catch((error: unknown) => {
      const isWord = at > 0 && !reference.includes('@') && isMlopsError(error) && error.code === 'RUN_NOT_FOUND'
      throw isWord ? notAdded(references[0] ?? '', reference) : error
    })
    if (!ids.includes(id)) ids.push(id)
  }
  const tagged: RunTags[] = []
  for (const id of ids) tagged.push(await tagRun(ctx, store, id, request))
  return tagged
}

const notAdded = (run: string, word: string): MlopsError =>
  usage({
    code: 'TAG_NOT_ADDED',
    message: `${JSON.stringify(word)} names no run; a tag is put on with --add.`,
    hint: `Write mlops run tag ${run} --add ${shellWord(word)}`,
  })

/**
 * Without anything to add or remove it only tells; what is so already is no change, and nothing is written for it.
 * @throws usage `TAG_INVALID`, `TAG_TWICE`, `TAGS_TOO_MANY`; as `resolveRun`
 */
export async function tagRun(
  ctx: Context,
  store: Store,
  reference: string,
  request: { readonly add: readonly string[]; readonly remove: readonly string[] },
): Promise<RunTags> {
  const add = checkedTags(request.add)
  const remove = checkedTags(request.remove, 'off')
  const both = add.find((tag) => remove.includes(tag))
  if (both !== undefined) {
    const message = `${JSON.stringify(both)} is to be added and removed at once.`
    throw usage({ code: 'TAG_TWICE', message, hint: 'Say one of the two' })
  }
  const run = await resolveRun(ctx, store, reference)
  const said = await store.runs.annotations(run)
  const { tags: own } = await rowOf(ctx, store, await store.runs.read(run))
  const before = tagsWith(own, said)
  const added = add.filter((tag) => !before.includes(tag))
  const removed = remove.filter((tag) => before.includes(tag))
  if (added.length + removed.length === 0) return { run, tags: before, added, removed, history: historyOf(said) }
  if (added.length > 0 && before.length + added.length - removed.length > MOST_TAGS)
    throw tooMany(before, added, removed)
  const annotation: Annotation = { ...heading(ctx, run, said), kind: 'tags', add: added, remove: removed }
  await store.runs.annotate(annotation)
  const after = [...said, annotation]
  return { run, tags: tagsWith(own, after), added, removed, history: historyOf(after) }
}

/**
 * Every note is kept, none replaces another. Secrets of known shapes are taken out.
 * @param text undefined: the notes are only told
 * @throws usage `NOTE_EMPTY`, `NOTE_TOO_LONG`; as `resolveRun`
 */
export async function noteRun(
  ctx: Context,
  store: Store,
  reference: string,
  text: string | undefined,
): Promise<RunNotes> {
  const note = text === undefined ? null : checkedNote(text)
  const run = await resolveRun(ctx, store, reference)
  const said = await store.runs.annotations(run)
  if (note === null) return { run, added: null, notes: notesOf(said) }
  const annotation: Annotation = { ...heading(ctx, run, said), kind: 'note', text: note }
  await store.runs.annotate(annotation)
  return { run, added: note, notes: notesOf([...said, annotation]) }
}

/** As it is kept. @throws usage `NOTE_EMPTY`, `NOTE_TOO_LONG` */
export function checkedNote(text: string): string {
  const note = text.replaceAll('\r\n', '\n').trim().toWellFormed()
  if (note === '') {
    const hint = 'Write mlops run note RUN "what I learnt", or hand it over: echo "…" | mlops run note RUN -'
    throw usage({ code: 'NOTE_EMPTY', message: 'The note is empty.', hint })
  }
  if (note.length <= LONGEST_NOTE) return redactText(note)
  throw usage({
    code: 'NOTE_TOO_LONG',
    message: `The note has ${note.length} characters; at most ${LONGEST_NOTE} are kept.`,
    hint: 'Write a paragraph and link to the rest',
  })
}

/** The last word counts, in order of ids: a clock that runs behind must not make it an earlier one. */
function heading(ctx: Context, run: string, said: readonly Annotation[]) {
  const now = ctx.now()
  const last = said.at(-1)?.id
  const id = ulid(Math.max(now.getTime(), last === undefined ? 0 : ulidTime(last) + 1))
  return { format: 1, id, run, actor: ctx.actor, time: now.toISOString() } as const
}

const historyOf = (said: readonly Annotation[]): TagChange[] =>
  said.flatMap((each) =>
    each.kind === 'tags' ? [{ add: each.add, remove: each.remove, by: each.actor.name, time: each.time }] : [],
  )

function tooMany(before: readonly string[], added: readonly string[], removed: readonly string[]): MlopsError {
  return usage({
    code: 'TAGS_TOO_MANY',
    message: `The run would have ${before.length + added.length - removed.length} tags; at most ${MOST_TAGS} are kept.`,
    hint: 'Take some off: --remove TAG. What has a value is a parameter, or stands in a note: mlops run note RUN TEXT',
  })
}
