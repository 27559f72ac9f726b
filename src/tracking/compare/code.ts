/** Code of several runs as their records name it: commit, branch, uncommitted changes, submodules. The diff is `code-diff.ts`. Pure. */
import { codeState, sameCode } from './code-state.ts'
import { knownPaths, type RunFacts } from './facts.ts'
import { type ValueRow, type Values, valueRows } from './rows.ts'

export interface CodeComparison {
  /** `unknown`: some run is outside of a repository, or had changes that were not recorded. */
  readonly verdict: 'same' | 'different' | 'unknown'
  readonly rows: readonly ValueRow[]
  /** In the order of the runs: files of the uncommitted changes, and what those leave out. */
  readonly patches: readonly { readonly files: readonly string[]; readonly notes: readonly string[] }[]
}

export function compareCode(runs: readonly RunFacts[]): CodeComparison {
  const states = runs.map((run) => codeState(run.git, knownPaths(run)))
  const sides = states.map((state, at): Values => {
    const { git } = runs[at] ?? { git: null }
    if (git === null) return {}
    return {
      commit: state.commit ?? 'none yet',
      branch: state.branch ?? 'none',
      remote: state.remote ?? undefined,
      'uncommitted changes': changes(state),
      ...Object.fromEntries(
        state.submodules.map(({ path, commit, dirty, patch }) => [
          `submodule ${path}`,
          commit === null
            ? 'not checked out'
            : `${commit}${dirty ? ` + ${patch === null ? 'changes' : patch.slice(0, 12)}` : ''}`,
        ]),
      ),
    }
  })
  return {
    verdict: verdictOf(states),
    rows: valueRows(sides, [...new Set(sides.flatMap(Object.keys))]),
    patches: states.map(({ patchFiles, notes }) => ({ files: patchFiles, notes })),
  }
}

function changes({ dirty, patch, recorded, submodules }: ReturnType<typeof codeState>): string {
  if (patch !== null) return `patch ${patch.slice(0, 12)}`
  if (!dirty) return 'none'
  if (!recorded) return 'not recorded'
  return submodules.some((each) => each.dirty) ? 'in submodules' : 'none'
}

function verdictOf([first, ...others]: readonly ReturnType<typeof codeState>[]): CodeComparison['verdict'] {
  const verdicts = others.map((other) => (first === undefined ? 'unknown' : sameCode(first, other)))
  return verdicts.find((each) => each === 'different') ?? verdicts.find((each) => each === 'unknown') ?? 'same'
}
