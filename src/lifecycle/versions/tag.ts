/** Tags of a version: short words that people put on it and take off again. They decide nothing and move nothing. */

import type { Context } from '../../core/context.ts'
import { usage } from '../../core/errors.ts'
import { type ModelRef, versionName } from '../../core/names.ts'
import type { EventDraft, TagBody } from '../../store/events.ts'
import type { ModelState, VersionState } from '../../store/fold.ts'
import { resolveVersion } from '../../store/resolve.ts'
import type { Store } from '../../store/store.ts'
import { checkedTags } from '../../tracking/values/tags.ts'
import { operation, repeated, versionAt } from '../operation.ts'

export interface TagRequest {
  /** The model alone means its newest version. */
  readonly ref: ModelRef
  readonly add: readonly string[]
  readonly remove: readonly string[]
  readonly idempotencyKey?: string
}

export interface TagResult {
  readonly model: string
  readonly version: number
  /** As they are now. */
  readonly tags: readonly string[]
  readonly added: readonly string[]
  readonly removed: readonly string[]
  /** Null when nothing had to be written. */
  readonly event: { readonly seq: number; readonly time: string } | null
}

/** More are no tags but a database. */
const MOST_TAGS = 200

/**
 * Without anything to add or remove it only tells. What is so already is no change, and no event is written for it.
 * @throws usage `TAG_INVALID`, `TAG_TWICE`, `TAGS_TOO_MANY`; notFound for model, version, stage; conflict
 *   `IDEMPOTENCY_MISMATCH`
 */
export async function tagVersion(ctx: Context, store: Store, request: TagRequest): Promise<TagResult> {
  const { ref } = request
  const add = checkedTags(request.add)
  const remove = checkedTags(request.remove, 'off')
  const both = add.find((tag) => remove.includes(tag))
  if (both !== undefined) throw tagTwice(both)
  let state = await store.models.state(ref.model)
  const { version } = resolveVersion(state, ref, 'newest')
  const op = operation(ctx, request.idempotencyKey, { type: 'tag', model: ref.model, version, add, remove })
  for (;;) {
    const now = versionAt(state, version)
    const earlier = repeated(state, op)
    const body = planTags(now, add, remove)
    if (earlier === undefined && body === undefined) return resultOf(state, now, { version, add: [], remove: [] }, null)
    const draft: EventDraft =
      earlier ??
      ({
        op_id: op.opId,
        request: op.request,
        type: 'tag',
        body: body as TagBody,
        actor: ctx.actor,
        tool: ctx.tool,
        time: ctx.now().toISOString(),
      } as const)
    const outcome = await store.models.commit(state, draft)
    if (outcome.kind !== 'lost') {
      const { event } = outcome
      const after = await store.models.state(ref.model)
      return resultOf(after, versionAt(after, version), event.body as TagBody, { seq: event.seq, time: event.time })
    }
    state = outcome.state
  }
}

/** @returns what has to change, or undefined when all of it is so already. Pure. */
export function planTags(
  { version, tags }: VersionState,
  add: readonly string[],
  remove: readonly string[],
): TagBody | undefined {
  const missing = add.filter((tag) => !tags.includes(tag))
  const present = remove.filter((tag) => tags.includes(tag))
  if (missing.length === 0 && present.length === 0) return undefined
  const count = tags.length + missing.length - present.length
  if (count <= MOST_TAGS || missing.length === 0) return { version, add: missing, remove: present }
  throw usage({
    code: 'TAGS_TOO_MANY',
    message: `The version would have ${count} tags; at most ${MOST_TAGS} are kept.`,
    hint: 'Take some off: --remove TAG. What has a value is a parameter: mlops register --param KEY=VALUE',
  })
}

function resultOf(
  state: ModelState,
  { version, tags }: VersionState,
  body: TagBody,
  event: TagResult['event'],
): TagResult {
  return { model: state.model, version, tags, added: body.add, removed: body.remove, event }
}

const tagTwice = (tag: string) =>
  usage({
    code: 'TAG_TWICE',
    message: `${JSON.stringify(tag)} is to be added and removed at once.`,
    hint: `Say one of the two. See what a version has: mlops model tag ${versionName('MODEL', 1)}`,
  })
