/**
 * Were a run's uncommitted changes recorded, or is some of its code known to nobody? What runs write is no code: that no
 * patch holds metrics.json says nothing. Pure. The notes are written by `src/project/git-patch.ts`.
 */

/** Of the facts of git that a run records. */
export interface CodeChanges {
  readonly dirty: boolean
  readonly patch?: unknown
  readonly notes?: readonly string[]
  readonly submodules?: readonly { readonly dirty: boolean }[]
}

/** How a note begins that names what runs wrote. */
export const WRITTEN_BY_RUNS = 'written by runs, so not in the patch: '

/** Read as values, whichever run wrote it. */
const VALUES = /(?:^|\/)metrics\.json$/

/**
 * Notes of what the patch leaves out, but for those that name outputs and declared data alone: other records know them.
 * @param known paths of outputs and declared data, relative to the run's folder or to the repository
 */
export const notesOfCode = ({ notes = [] }: Pick<CodeChanges, 'notes'>, known: readonly string[] = []): string[] =>
  notes.filter((note) => !note.startsWith(WRITTEN_BY_RUNS) && !isAbout(note, known))

/**
 * False where changes were seen of which nothing was recorded; `dirty` alone does not tell.
 * @param known as in `notesOfCode`
 */
export function changesAreRecorded(git: CodeChanges, known: readonly string[] = []): boolean {
  if (!git.dirty || git.patch !== undefined) return true
  if ((git.submodules ?? []).some(({ dirty }) => dirty)) return true
  return (git.notes ?? []).some(isLeftOut) && !notesOfCode(git, known).some(isLeftOut)
}

/** What git ignores is not among the changes that it sees. */
const isLeftOut = (note: string): boolean => !note.startsWith('git ignores, so not in the patch')

function isAbout(note: string, known: readonly string[]): boolean {
  const listed = /^not in the patch \([^)]*\): (.+)$/.exec(note)?.[1]
  if (listed === undefined || / and \d+ more$/.test(listed)) return false
  const isKnown = (path: string): boolean =>
    VALUES.test(path) ||
    known.some(
      (each) => path === each || path.endsWith(`/${each}`) || each.endsWith(`/${path}`) || path.startsWith(`${each}/`),
    )
  return listed.split(', ').every(isKnown)
}
