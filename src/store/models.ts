/**
 * Models and their logs: reading one into a state, and committing the next event. Deciding that an event should be
 * written is in `src/lifecycle/`.
 *
 * Invariants: if event n of a model exists, events 1 … n-1 do, the root log names the model, and every object the
 * event refers to is in the store, all of it durably.
 */
import { type Digest, sha256 } from '../core/digest.ts'
import { assertName, nameProblem } from '../core/names.ts'
import type { Backend } from './backend.ts'
import { appendLink, type Head, logDamaged, nextLink, readChain } from './chain.ts'
import { checkDraft, idempotencyMismatch, modelNotFound, nameTaken, objectGone, tooLarge } from './commit-problems.ts'
import { type EventDraft, isModelEvent, type ModelEvent, type Stages } from './events.ts'
import { isFull } from './failures.ts'
import { fold, type ModelState, nextStages } from './fold.ts'
import { modelLog, numbered, objectKey, runFolder } from './layout.ts'
import type { Manifest } from './manifest.ts'
import { referencedByEvent, referencedByManifest } from './references.ts'
import { makeReserve, RESERVE_USED, releaseReserve } from './reserve.ts'
import { announceModel, isRemembered, rememberHead, rootPuts } from './root-log.ts'
import { type JsonObject, openSealed } from './sealed.ts'
import type { CommitResult, Models, Objects } from './store.ts'
import { bringRunBack } from './trash-runs.ts'

/** Events are for reading by people and tools; anything large belongs into an object. */
const MAX_EVENT_BYTES = 64 << 10

/** The digest of a state's newest event, kept beside the state so that a commit need not read it again. */
const heads = new WeakMap<ModelState, Digest>()

export function modelsOf(
  backend: Backend,
  registry: Digest,
  objects: Objects,
  warn: (message: string) => void,
): Models {
  const room: Room = { backend, registry, objects, warn }
  return {
    list: () => list(backend),
    async state(model) {
      assertName('model', model)
      const state = await readState(room, model)
      if (state.head === 0) throw modelNotFound(model, await list(backend))
      return state
    },
    async stateOrEmpty(model) {
      assertName('model', model)
      return readState(room, model)
    },
    manifest: (digest) => objects.readJson<Manifest>(digest),
    commit: (state, draft) => commit(room, state, draft),
  }
}

interface Room {
  readonly backend: Backend
  readonly registry: Digest
  readonly objects: Objects
  readonly warn: (message: string) => void
}

async function list(backend: Backend): Promise<string[]> {
  const names: string[] = []
  for (const { name, kind } of await backend.list('models')) {
    if (kind !== 'folder' || nameProblem(name) !== undefined) continue
    if ((await backend.stat(`${modelLog(name)}/${numbered(1)}`)) !== undefined) names.push(name)
  }
  return names
}

async function readState(room: Room, model: string): Promise<ModelState> {
  return extend(room, fold(model, []), room.registry)
}

/** `state` with the events that were written since, read from disk. */
async function extend(room: Room, state: ModelState, digest: Digest): Promise<ModelState> {
  const links = await readChain(room.backend, modelLog(state.model), { seq: state.head, digest })
  const events = links.map(({ record, seq }) => {
    if (isModelEvent(record, state.model)) return record
    throw logDamaged(room.backend, `${modelLog(state.model)}/${numbered(seq)}`, `it is no event of ${state.model}`)
  })
  const next = fold(state.model, [...state.events, ...events])
  heads.set(next, links.at(-1)?.digest ?? digest)
  return next
}

async function commit(room: Room, state: ModelState, draft: EventDraft): Promise<CommitResult> {
  const done = await alreadyDone(room, state, draft)
  if (done !== undefined) return done
  const head = await headOf(room, state)
  if (!expectationHolds(state.stages, draft)) return reconsider(room, state, head.digest, draft)
  checkDraft(state, draft)

  const bytes = nextLink(head, eventRecord(state, draft))
  if (bytes.length > MAX_EVENT_BYTES) throw tooLarge(draft, bytes.length)
  await requireObjects(room, draft, 'keep')
  await room.backend.refuseLinks(modelLog(state.model))
  if (state.head === 0) await announce(room, state.model, draft)
  const appended = await append(room, state.model, head, bytes, draft)
  if (appended === 'taken') return reconsider(room, state, head.digest, draft)
  // A clean-up that ran in between may have taken an object that nothing referred to before this event.
  await requireObjects(room, draft)
  await requireRun(room, draft)
  await remember(room, state.model, head.seq + 1, bytes)
  // Only room: the event stands, whatever becomes of this.
  if (appended === 'written') await makeReserve(room.backend).catch(() => {})
  return { kind: 'committed', event: openSealed(bytes) as unknown as ModelEvent }
}

/** The place is taken, or the stages are not what the draft expects: look again, it may have been we ourselves. */
async function reconsider(room: Room, state: ModelState, digest: Digest, draft: EventDraft): Promise<CommitResult> {
  const now = await extend(room, state, digest)
  return (await alreadyDone(room, now, draft)) ?? { kind: 'lost', state: now }
}

async function alreadyDone(room: Room, state: ModelState, draft: EventDraft): Promise<CommitResult | undefined> {
  const event = state.events.find(({ op_id }) => op_id === draft.op_id)
  if (event === undefined) return undefined
  if (event.request !== draft.request) throw idempotencyMismatch(state.model, draft, event)
  // Whoever wrote it may have died before it was durable.
  await room.backend.settle(`${modelLog(state.model)}/${numbered(event.seq)}`)
  return { kind: 'already', event }
}

async function headOf(room: Room, state: ModelState): Promise<Head> {
  if (state.head === 0) return { seq: 0, digest: room.registry }
  const known = heads.get(state)
  if (known !== undefined) return { seq: state.head, digest: known }
  const bytes = await room.backend.get(`${modelLog(state.model)}/${numbered(state.head)}`)
  return { seq: state.head, digest: bytes === undefined ? '' : sha256(bytes) }
}

const expectationHolds = (stages: Stages, { expect }: EventDraft): boolean =>
  Object.entries(expect ?? {}).every(([stage, seq]) => (stages[stage]?.seq ?? null) === seq)

function eventRecord(state: ModelState, draft: EventDraft): JsonObject {
  const { op_id, request, type, expect, body, actor, tool, time } = draft
  const stages = nextStages(
    state.stages,
    state.head + 1,
    draft,
    (stage, seq) => {
      const entry = state.events[seq - 1]?.stages[stage]
      return entry?.seq === seq ? entry : undefined
    },
    (version) => state.versions[version - 1]?.manifest,
  )
  return { op_id, request, model: state.model, type, expect, body, stages, actor, tool, time }
}

async function announce(room: Room, model: string, { actor, tool, time }: EventDraft): Promise<void> {
  for (const { name } of await room.backend.list('models')) {
    if (name !== model && name.toLowerCase() === model) throw nameTaken(room.backend, model, name)
  }
  // Where each put is a push, it goes with the event.
  if (room.backend.putTogether !== undefined) return
  await announceModel(room.backend, room.registry, { type: 'model', model, actor, tool, time })
}

/** The event, and what the root log says with it: one push where each put is one. */
async function appendEvent(room: Room, model: string, head: Head, bytes: Buffer, draft: EventDraft): Promise<boolean> {
  const { backend, registry } = room
  if (backend.putTogether === undefined) return appendLink(backend, modelLog(model), head, bytes)
  const { actor, tool, time } = draft
  const seq = head.seq + 1
  const key = `${modelLog(model)}/${numbered(seq)}`
  const created = seq === 1 ? ({ type: 'model', model, actor, tool, time } as const) : undefined
  const anchor = isRemembered(seq) ? { model, head: seq, sha256: sha256(bytes) } : undefined
  while ((await backend.stat(key)) === undefined) {
    // Without the anchor the event stands; without the name of its model it would not.
    const said = await rootPuts(backend, registry, created, anchor).catch((error: unknown) => {
      if (created !== undefined) throw error
      return []
    })
    const before = said.slice(0, said.length - (anchor === undefined ? 0 : 1))
    if (await backend.putTogether([...before, { key, bytes }, ...said.slice(before.length)])) return true
  }
  return false
}

/** Only an anchor for `verify`: the event stands, whatever becomes of this. */
async function remember(room: Room, model: string, seq: number, bytes: Buffer): Promise<void> {
  if (!isRemembered(seq)) return
  await rememberHead(room.backend, room.registry, { model, head: seq, sha256: sha256(bytes) }).catch(() => {})
}

/** Moving production back must work on a full disk: what `create` set aside is given up for it, once. */
async function append(
  room: Room,
  model: string,
  head: Head,
  bytes: Buffer,
  draft: EventDraft,
): Promise<'taken' | 'written' | 'written with the reserve'> {
  const attempt = (): Promise<boolean> => appendEvent(room, model, head, bytes, draft)
  try {
    return (await attempt()) ? 'written' : 'taken'
  } catch (error) {
    const urgent = draft.type === 'promote' || draft.type === 'rollback' || draft.type === 'rollout'
    if (!urgent || !isFull(error) || !(await releaseReserve(room.backend))) throw error
    room.warn(RESERVE_USED)
    return (await attempt()) ? 'written with the reserve' : 'taken'
  }
}

/** @param keep a clean-up is told that they are needed: what the event of a version refers to may be old and nobody's */
async function requireObjects(room: Room, draft: EventDraft, keep?: 'keep'): Promise<void> {
  const references = referencedByEvent(draft)
  if (draft.type === 'register') {
    if (!(await room.objects.has(draft.body.manifest))) throw objectGone(room.backend, draft.body.manifest, 'manifest')
    references.push(...referencedByManifest(await room.objects.readJson<Manifest>(draft.body.manifest)))
  }
  // All that a move refers to is referred to already, and a move must work on a full disk.
  const isFirst = draft.type === 'register' || draft.type === 'baseline'
  for (const { sha256: digest, what } of references) {
    const isThere =
      keep !== undefined && isFirst
        ? (await room.backend.keep(objectKey(digest))) !== 'absent'
        : await room.objects.has(digest)
    if (!isThere) throw objectGone(room.backend, digest, what)
  }
}

/** A run that was deleted while a version was being made of it comes back; whoever deletes it looks after that, too. */
async function requireRun(room: Room, draft: EventDraft): Promise<void> {
  if (draft.type !== 'register' || draft.body.run === undefined || draft.body.imported !== undefined) return
  const { id } = draft.body.run
  if ((await room.backend.stat(`${runFolder(id)}/run.json`)) !== undefined) return
  const back = await bringRunBack(room.backend, id).catch(() => false)
  if (back) room.warn(`Run ${id} was deleted while a version was made of it; it was taken out of the trash again.`)
}
