/** The code of a run as far as its record pins it: commit, uncommitted changes, submodules. Pure. */
import type { Digest } from '../../core/digest.ts'
import { changesAreRecorded, notesOfCode } from '../../core/recorded-changes.ts'
import type { GitFacts } from '../../store/run-records.ts'

export interface CodeState {
  readonly commit: string | null
  readonly branch: string | null
  readonly remote: string | null
  readonly dirty: boolean
  /** Digest of the uncommitted changes; null where there are none, or where they were not recorded. */
  readonly patch: Digest | null
  readonly patchFiles: readonly string[]
  readonly submodules: readonly {
    readonly path: string
    readonly commit: string | null
    readonly dirty: boolean
    readonly patch: Digest | null
  }[]
  /** What the patch leaves out; values that were redacted. */
  readonly notes: readonly string[]
  /** False outside of a repository, and where uncommitted changes were seen but not recorded. */
  readonly recorded: boolean
}

const NONE: CodeState = {
  commit: null,
  branch: null,
  remote: null,
  dirty: false,
  patch: null,
  patchFiles: [],
  submodules: [],
  notes: [],
  recorded: false,
}

/** @param known paths of outputs and of declared data: that no patch holds them says nothing of the code */
export function codeState(git: GitFacts | null, known: readonly string[] = []): CodeState {
  if (git === null) return NONE
  const submodules = (git.submodules ?? []).map(({ path, commit, dirty, patch }) => ({
    path,
    commit,
    dirty,
    patch: patch?.sha256 ?? null,
  }))
  return {
    commit: git.commit,
    branch: git.branch,
    remote: git.remote,
    dirty: git.dirty,
    patch: git.patch?.sha256 ?? null,
    patchFiles: git.patch?.files ?? [],
    submodules,
    notes: notesOfCode(git, known),
    recorded: changesAreRecorded(git, known) && (git.commit !== null || git.patch !== undefined),
  }
}

/** `different` wins over `unknown`: two commits differ, whatever else was not recorded. */
export function sameCode(a: CodeState, b: CodeState): 'same' | 'different' | 'unknown' {
  const isKnown = (state: CodeState): boolean => state.commit !== null || state.patch !== null
  if (!isKnown(a) || !isKnown(b)) return 'unknown'
  const [one, other] = [a, b].map(({ submodules }) =>
    JSON.stringify(submodules.map(({ path, commit, patch }) => [path, commit, patch])),
  )
  if (a.commit !== b.commit || a.patch !== b.patch) return 'different'
  // A writer of older records names no submodules.
  if (one !== other && a.submodules.length > 0 && b.submodules.length > 0) return 'different'
  return a.recorded && b.recorded ? 'same' : 'unknown'
}
