/** What was said of a run after it was written, put together: tags, notes, repetitions. Pure. */
import type { Annotation, ReproductionVerdict } from '../../store/run-records.ts'

export interface RunNote {
  readonly text: string
  readonly by: string
  readonly time: string
}
export interface RunReproduction {
  readonly by: string
  readonly verdict: ReproductionVerdict
  readonly time: string
}

/** A run's own tags, then those that were added, without those that were taken away; the last word on each counts. */
export function tagsWith(own: readonly string[], annotations: readonly Annotation[]): string[] {
  const tags = new Set(own)
  for (const said of annotations) {
    if (said.kind !== 'tags') continue
    for (const tag of said.remove) tags.delete(tag)
    for (const tag of said.add) tags.add(tag)
  }
  return [...tags]
}

export const notesOf = (annotations: readonly Annotation[]): RunNote[] =>
  annotations.flatMap((said) =>
    said.kind === 'note' ? [{ text: said.text, by: said.actor.name, time: said.time }] : [],
  )

export const reproductionsOf = (annotations: readonly Annotation[]): RunReproduction[] =>
  annotations.flatMap((said) =>
    said.kind === 'reproduced' ? [{ by: said.by, verdict: said.verdict, time: said.time }] : [],
  )
