/** Merging lines: what one side changed is taken, what both changed differently is a conflict, and diffs apply. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MARKERS, markerLines, mergeThreeWays, mergeTwoWays, unifiedDiff } from '../../../src/scaffold/merge.ts'

const text = (...lines: string[]): string => `${lines.join('\n')}\n`
const BASE = text('one', 'two', 'three', 'four', 'five', 'six', 'seven')

describe('Merging an edited file with its new template', () => {
  it('keeps an edit and takes a change of another place', () => {
    const yours = BASE.replace('two', 'TWO')
    const merged = mergeThreeWays(yours, BASE, BASE.replace('six', 'SIX'))
    assert.deepEqual(merged, { text: yours.replace('six', 'SIX'), conflicts: [] })
  })

  it('keeps lines that were added on both sides', () => {
    const merged = mergeThreeWays(`zero\n${BASE}`, BASE, `${BASE}eight\n`)
    assert.deepEqual(merged, { text: `zero\n${BASE}eight\n`, conflicts: [] })
  })

  it('takes the same change of both sides once', () => {
    const same = BASE.replace('four', 'FOUR')
    assert.deepEqual(mergeThreeWays(same, BASE, same), { text: same, conflicts: [] })
  })

  it('is the edited file itself when it is merged again', () => {
    const yours = BASE.replace('two', 'TWO')
    const generated = BASE.replace('six', 'SIX')
    const once = mergeThreeWays(yours, BASE, generated).text
    assert.equal(mergeThreeWays(once, BASE, generated).text, once)
    assert.equal(mergeThreeWays(once, generated, generated).text, once)
  })

  it('shows both sides and their beginning where they changed the same line', () => {
    const merged = mergeThreeWays(BASE.replace('four', 'mine'), BASE, BASE.replace('four', 'theirs'))
    assert.deepEqual(merged.conflicts, [4])
    const { yours, before, between, generated } = MARKERS
    assert.equal(
      merged.text,
      BASE.replace('four', [yours, 'mine', before, 'four', between, 'theirs', generated].join('\n')),
    )
    assert.deepEqual(markerLines(merged.text), [4, 10])
  })

  it('notices that one side deleted what the other changed', () => {
    assert.deepEqual(mergeThreeWays(BASE.replace('four\n', ''), BASE, BASE.replace('four', 'FOUR')).conflicts, [4])
  })

  it('is not confused by lines that are called like members of an object', () => {
    const odd = text('constructor', '__proto__', 'toString', 'a')
    assert.equal(
      mergeThreeWays(odd.replace('a', 'b'), odd, `hasOwnProperty\n${odd}`).text,
      `hasOwnProperty\n${odd}`.replace(/a\n$/, 'b\n'),
    )
  })

  it('has the same answer as git merge-file for edits that do not touch', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mlops-merge-'))
    try {
      for (let seed = 1; seed <= 60; seed++) {
        const [base, yours, generated] = variants(seed)
        for (const [name, content] of [
          ['a', yours],
          ['o', base],
          ['b', generated],
        ] as const)
          writeFileSync(join(folder, name), content)
        let clean = true
        try {
          execFileSync('git', ['merge-file', '-q', join(folder, 'a'), join(folder, 'o'), join(folder, 'b')])
        } catch {
          clean = false
        }
        const merged = mergeThreeWays(yours, base, generated)
        // Ours may ask where git decides (edits of neighbouring lines), never the other way round.
        if (merged.conflicts.length === 0) {
          assert.ok(clean, `seed ${seed}: git finds a conflict`)
          assert.equal(merged.text, readFileSync(join(folder, 'a'), 'utf8'), `seed ${seed}`)
        }
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('shows two files without a common beginning side by side', () => {
    const merged = mergeTwoWays(text('a', 'mine', 'c'), text('a', 'theirs', 'c'))
    assert.deepEqual(merged.conflicts, [2])
    assert.equal(merged.text, text('a', MARKERS.yours, 'mine', MARKERS.between, 'theirs', MARKERS.generated, 'c'))
  })
})

/** Three texts; the seed decides where two of them were edited. */
function variants(seed: number): [string, string, string] {
  let state = seed
  const below = (limit: number): number => {
    state = (state * 1103515245 + 12345) % 2147483648
    return Math.floor((state / 2147483648) * limit)
  }
  const base = Array.from({ length: 20 }, (_, index) => `line ${index}`)
  const edit = (who: string): string[] => {
    const copy = [...base]
    for (let times = 1 + below(3); times > 0; times--) {
      const at = below(copy.length)
      copy.splice(at, below(2), ...(below(2) === 0 ? [`${who} ${below(5)}`] : []))
    }
    return copy
  }
  return [text(...base), text(...edit('yours')), text(...edit('generated'))]
}

describe('A unified diff', () => {
  it('turns the first text into the second when patch applies it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mlops-diff-'))
    try {
      for (let seed = 1; seed <= 25; seed++) {
        const [before, after] = variants(seed)
        if (before === after) continue
        writeFileSync(join(folder, 'f'), before)
        writeFileSync(join(folder, 'd'), unifiedDiff('f', before, after))
        execFileSync('git', ['apply', '--unsafe-paths', '-p1', 'd'], {
          cwd: folder,
          env: { ...process.env, GIT_CEILING_DIRECTORIES: tmpdir() },
        })
        assert.equal(readFileSync(join(folder, 'f'), 'utf8'), after, `seed ${seed}`)
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('says where a file begins and ends', () => {
    assert.equal(unifiedDiff('f', undefined, 'a\n'), '--- /dev/null\n+++ b/f\n@@ -0,0 +1,1 @@\n+a\n')
    assert.equal(unifiedDiff('f', 'a\n', undefined), '--- a/f\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a\n')
    assert.equal(unifiedDiff('f', 'a\n', 'a\n'), '')
  })
})
