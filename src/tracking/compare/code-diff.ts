/**
 * The real change of the code between two runs: what each ran is built from its commit and its recorded changes, and git
 * compares the two. Reads only; what cannot be built is said, never guessed.
 */
import { existsSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import type { Context } from '../../core/context.ts'
import type { Digest } from '../../core/digest.ts'
import { changesAreRecorded, notesOfCode } from '../../core/recorded-changes.ts'
import { redact } from '../../core/redact.ts'
import type { SubmoduleFacts } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'
import { type BuiltTree, type Trees, withTrees } from './code-trees.ts'
import { knownPaths, type RunFacts } from './facts.ts'
import { labelOf } from './rows.ts'

export interface CodeDiff {
  /** Labels: `A`, and the run that is compared with it. */
  readonly from: string
  readonly to: string
  /** Unified diff of everything, secrets redacted; '' when the code is the same, null when git cannot tell. */
  readonly text: string | null
  /** What the diff leaves out, or why there is none; sentences. */
  readonly notes: readonly string[]
  /** Recorded changes that could not be put on their commit, as they were recorded. */
  readonly left: readonly { readonly run: string; readonly path: string; readonly text: string }[]
}

/** One side: a run, or one of its submodules. */
interface Side {
  readonly label: string
  readonly commit: string | null
  readonly patch: Digest | null
  /** `A`, or `submodule lib of A`. */
  readonly name: string
}

interface Part {
  readonly text: string | null
  readonly notes: readonly string[]
  readonly left: CodeDiff['left']
}

/** @param root absolute, the project's folder. @returns one for each run after the first */
export async function codeDiffs(
  ctx: Context,
  store: Store,
  root: string,
  runs: readonly RunFacts[],
): Promise<CodeDiff[]> {
  const [first, ...others] = runs
  if (first === undefined) return []
  const frame = (at: number): { from: string; to: string } => ({ from: labelOf(0), to: labelOf(at + 1) })
  const found = await withTrees(root, ctx.env, async (trees) => {
    const diffs: CodeDiff[] = []
    for (const [at, other] of others.entries()) {
      diffs.push({ ...frame(at), ...(await diffOfRuns(ctx, store, trees, [first, other], at + 1)) })
    }
    return diffs
  })
  if (!('why' in found)) return found
  return others.map((_, at) => ({ ...frame(at), text: null, notes: [`There is no diff: ${found.why}.`], left: [] }))
}

async function diffOfRuns(
  ctx: Context,
  store: Store,
  trees: Trees,
  pair: readonly [RunFacts, RunFacts],
  at: number,
): Promise<Part> {
  const labels = [labelOf(0), labelOf(at)] as const
  const notes = pair.flatMap((run, side) => notesOf(run, labels[side] ?? ''))
  const [from, to] = pair
  if (from.git === null || to.git === null) {
    const lacking = from.git === null ? labels[0] : labels[1]
    return { text: null, notes: [`There is no diff: ${lacking} records no repository.`], left: [] }
  }
  const side = (git: NonNullable<RunFacts['git']>, label: string): Side => ({
    label,
    name: label,
    commit: git.commit,
    patch: git.patch?.sha256 ?? null,
  })
  const parts = [await diffOfSides(store, trees, side(from.git, labels[0]), side(to.git, labels[1]), '')]
  for (const path of submodulesThatDiffer(from, to)) {
    parts.push(await diffOfSubmodule(ctx, store, trees.top, path, pair, labels))
  }
  const texts = parts.map(({ text }) => text)
  return {
    text: texts.every((text) => text === null) ? null : texts.map((text) => text ?? '').join(''),
    notes: [...notes, ...parts.flatMap((part) => part.notes)],
    left: parts.flatMap((part) => part.left),
  }
}

function notesOf(run: RunFacts, label: string): string[] {
  const { git } = run
  const known = knownPaths(run)
  if (git === null) return []
  const unrecorded = changesAreRecorded(git, known) ? [] : [`${label} had uncommitted changes that were not recorded.`]
  return [...unrecorded, ...notesOfCode(git, known).map((note) => `${label}: ${note.replace(/\.$/, '')}.`)]
}

async function diffOfSides(store: Store, trees: Trees, from: Side, to: Side, under: string): Promise<Part> {
  const built = [await build(store, trees, from), await build(store, trees, to)] as const
  const notes: string[] = []
  const left: { run: string; path: string; text: string }[] = []
  for (const [at, tree] of built.entries()) {
    const { label, name } = at === 0 ? from : to
    if (tree.kind === 'none') notes.push(`There is no diff: the code of ${name} cannot be built, ${tree.why}.`)
    else if (tree.left.length > 0) {
      const paths = tree.left.map(({ path }) => under + path).join(', ')
      notes.push(
        `Recorded changes of ${name} could not be put on its commit, for secrets in them are redacted, or part of them is missing: ${paths}. They are shown as they were recorded.`,
      )
      left.push(...tree.left.map(({ path, text }) => ({ run: label, path: under + path, text: redact(text).text })))
    }
  }
  const [a, b] = built
  if (a.kind === 'none' || b.kind === 'none') return { text: null, notes, left }
  const { text, cut } = await trees.diff(a.tree, b.tree, under)
  if (cut) notes.push('The diff is longer than 8 MiB: the rest of it is left out.')
  return { text: redact(text).text, notes, left }
}

async function build(store: Store, trees: Trees, { commit, patch }: Side): Promise<BuiltTree> {
  if (commit === null && patch === null) return { kind: 'none', why: 'no commit was recorded' }
  try {
    return await trees.build({ commit, patch: patch === null ? null : await store.objects.read(patch) })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { kind: 'none', why: message.replace(/\.$/, '') }
  }
}

const submoduleOf = ({ git }: RunFacts, path: string): SubmoduleFacts | undefined =>
  git?.submodules?.find((each) => each.path === path)

function submodulesThatDiffer(from: RunFacts, to: RunFacts): string[] {
  const paths = [from, to].flatMap(({ git }) => (git?.submodules ?? []).map(({ path }) => path))
  return [...new Set(paths)].sort().filter((path) => {
    const [a, b] = [submoduleOf(from, path), submoduleOf(to, path)]
    return a !== undefined && b !== undefined && (a.commit !== b.commit || a.patch?.sha256 !== b.patch?.sha256)
  })
}

async function diffOfSubmodule(
  ctx: Context,
  store: Store,
  top: string,
  path: string,
  pair: readonly [RunFacts, RunFacts],
  labels: readonly [string, string],
): Promise<Part> {
  const nothing = (why: string): Part => ({
    text: null,
    notes: [`There is no diff of submodule ${path}: ${why}.`],
    left: [],
  })
  // The path comes from a record, and git is started there.
  if (isAbsolute(path) || path.split(/[/\\]/).includes('..'))
    return nothing('its recorded path leads out of the repository')
  const folder = join(top, path)
  if (!existsSync(folder)) return nothing('it is not checked out here')
  const [from, to] = pair.map((run, at): Side => {
    const found = submoduleOf(run, path)
    const label = labels[at] ?? ''
    return {
      label,
      name: `submodule ${path} of ${label}`,
      commit: found?.commit ?? null,
      patch: found?.patch?.sha256 ?? null,
    }
  })
  if (from === undefined || to === undefined) return nothing('it is not recorded')
  const found = await withTrees(folder, ctx.env, async (trees) =>
    // Where it is not checked out, git answers for the repository around it.
    trees.top === top ? { why: 'it is not checked out here' } : diffOfSides(store, trees, from, to, `${path}/`),
  )
  return 'why' in found ? nothing(found.why) : found
}
