/**
 * What people and later runs said of a run, put together with what it said of itself: its tags as they are now, its
 * notes, who repeated it. Pure.
 */
import type { Actor } from '../../core/context.ts'
import type { Annotation, ReproductionVerdict } from '../../store/run-records.ts'

export interface RunNote {
  readonly text: string
  readonly actor: Actor
  readonly time: string
}

export interface Reproduction {
  /** The run that repeated this one. */
  readonly by: string
  readonly verdict: ReproductionVerdict
  readonly time: string
}

export interface FoldedAnnotations {
  /** The run's own and those that were put on later, without those that were taken off. */
  readonly tags: readonly string[]
  /** Oldest first. */
  readonly notes: readonly RunNote[]
  /** Oldest first. */
  readonly reproductions: readonly Reproduction[]
}

/**
 * @param own the tags of the command line and of the script
 * @param annotations oldest first: of what is said of one tag the last word counts
 */
export function foldAnnotations(own: readonly string[], annotations: readonly Annotation[]): FoldedAnnotations {
  const tags = new Set(own)
  const notes: RunNote[] = []
  const reproductions: Reproduction[] = []
  for (const said of annotations) {
    const { actor, time } = said
    if (said.kind === 'note') notes.push({ text: said.text, actor, time })
    if (said.kind === 'reproduced') reproductions.push({ by: said.by, verdict: said.verdict, time })
    if (said.kind !== 'tags') continue
    for (const tag of said.remove) tags.delete(tag)
    for (const tag of said.add) tags.add(tag)
  }
  return { tags: [...tags], notes, reproductions }
}
