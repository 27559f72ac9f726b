/**
 * The root log `log/`: which models were created, and now and then how far each has come, so that `verify` misses a
 * model whose folder, or the tail of whose log, is lost.
 */
import type { Actor } from '../core/context.ts'
import type { Digest } from '../core/digest.ts'
import type { Backend, Put } from './backend.ts'
import { appendLink, type Head, nextLink, nextPuts, readChain } from './chain.ts'
import { numbered, ROOT_LOG } from './layout.ts'
import type { JsonObject } from './sealed.ts'

export interface ModelCreated {
  readonly type: 'model'
  readonly model: string
  readonly actor: Actor
  readonly tool: string
  readonly time: string
}

/** Which event was the newest of a model at some time: without it the loss of a log's tail could not be seen. */
export interface HeadRemembered {
  readonly type: 'head'
  readonly model: string
  readonly head: number
  /** Digest of that event's bytes. */
  readonly sha256: Digest
}

/** A model's first event is remembered, and from then on every 16th: an anchor for `verify`, at the price of 1/16. */
export const isRemembered = (seq: number): boolean => seq === 1 || seq % 16 === 0

/** Writes that `created.model` exists unless the log says so already. Durable when it resolves. */
export async function announceModel(backend: Backend, registry: Digest, created: ModelCreated): Promise<void> {
  const isIt = (record: JsonObject): boolean => record.type === 'model' && record.model === created.model
  return appendOnce(backend, registry, { ...created }, isIt)
}

export async function rememberHead(
  backend: Backend,
  registry: Digest,
  head: Omit<HeadRemembered, 'type'>,
): Promise<void> {
  const isIt = (record: JsonObject): boolean =>
    record.type === 'head' && record.model === head.model && record.head === head.head
  return appendOnce(backend, registry, { type: 'head', ...head }, isIt)
}

/**
 * What the log does not say yet of a model's event, as puts that go with the event itself (`Backend.putTogether`): that
 * there is the model, before it; the anchor, last, after it.
 */
export async function rootPuts(
  backend: Backend,
  registry: Digest,
  created: ModelCreated | undefined,
  head: Omit<HeadRemembered, 'type'> | undefined,
): Promise<Put[]> {
  if (created === undefined && head === undefined) return []
  const links = await readChain(backend, ROOT_LOG, { seq: 0, digest: registry })
  const isNew = !links.some(({ record }) => record.type === 'model' && record.model === created?.model)
  const records = [
    ...(created === undefined || !isNew ? [] : [{ ...created }]),
    ...(head === undefined ? [] : [{ type: 'head', ...head }]),
  ]
  return nextPuts(ROOT_LOG, links.at(-1) ?? { seq: 0, digest: registry }, records)
}

async function appendOnce(
  backend: Backend,
  registry: Digest,
  record: JsonObject,
  isIt: (record: JsonObject) => boolean,
): Promise<void> {
  let head: Head = { seq: 0, digest: registry }
  for (;;) {
    const links = await readChain(backend, ROOT_LOG, head)
    if (links.some((link) => isIt(link.record))) return backend.settle(`${ROOT_LOG}/${numbered(1)}`)
    head = links.at(-1) ?? head
    if (await appendLink(backend, ROOT_LOG, head, nextLink(head, record))) return
  }
}
