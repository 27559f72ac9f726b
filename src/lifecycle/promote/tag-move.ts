/** After a stage has moved: tags in the project's git repository, where `git_tags` asks for them (project/git-tags.ts). */
import type { Context } from '../../core/context.ts'
import { versionName } from '../../core/names.ts'
import type { Project } from '../../project/config.ts'
import type { ModelEvent } from '../../store/events.ts'
import type { ModelState } from '../../store/fold.ts'
import type { Store } from '../../store/store.ts'
import { versionAt } from '../operation.ts'
import { loadVersion } from '../versions/version.ts'

/**
 * @param state before or after the move: the version is in both
 * @returns the tags that were made; a failure is a warning and no more, for the stage has moved
 */
export async function tagMove(
  ctx: Context,
  project: Project,
  store: Store,
  state: ModelState,
  event: ModelEvent,
): Promise<readonly string[]> {
  if (project.config.gitTags !== true || (event.type !== 'promote' && event.type !== 'rollback')) return []
  const { stage, version: number, reason } = event.body
  const { seq, time, type, actor, model } = event
  const version = versionAt(state, number)
  const { tagPromotion } = await import('../../project/git-tags.ts')
  // Damage of what tells where a version comes from must not undo what was done.
  const detail = await loadVersion(store, state, version).catch(() => undefined)
  const outcome = await tagPromotion(ctx, project, {
    model,
    version: number,
    manifest: version.manifest,
    registered: version.registered.time,
    commit: detail?.code?.commit ?? null,
    stage,
    seq,
    time,
    kind: type,
    by: actor.name,
    reason,
  })
  if (outcome.kind === 'tagged') return outcome.tags
  ctx.warn(`${stage} is at ${versionName(model, number)}, but no git tag says so: ${outcome.reason}`)
  return []
}
