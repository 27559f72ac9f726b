/** The engine on real folders: what becomes of each file, applying, and what is never written. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { sha256 } from '../../../src/core/digest.ts'
import { applyPlan, finishInterrupted } from '../../../src/scaffold/apply.ts'
import type { Journal, Write } from '../../../src/scaffold/journal.ts'
import { planScaffold } from '../../../src/scaffold/plan.ts'
import { remembered, standingFiles } from '../../../src/scaffold/remember.ts'
import type { FileChange, GeneratedFile, ScaffoldPlan } from '../../../src/scaffold/types.ts'

const LINES = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight']
const body = (...changes: [string, string][]): string =>
  `${LINES.map((line) => changes.find(([from]) => from === line)?.[1] ?? line).join('\n')}\n`

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mlops-scaffold-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const at = (path: string): string => join(folder, ...path.split('/'))
const read = (path: string): string => readFileSync(at(path), 'utf8')
function write(path: string, content: string): void {
  mkdirSync(dirname(at(path)), { recursive: true })
  writeFileSync(at(path), content)
}
const files = (contents: Record<string, string>, yours: readonly string[] = []): GeneratedFile[] =>
  Object.entries(contents).map(([path, content]) => ({
    path,
    content,
    care: yours.includes(path) ? ('yours' as const) : ('kept in step' as const),
  }))

async function planned(generated: readonly GeneratedFile[]): Promise<ScaffoldPlan> {
  const before = await remembered(folder, 'cron')
  const paths = [...generated.map(({ path }) => path), ...Object.keys(before.answers?.files ?? {})]
  const scaffold = { kind: 'cron' as const, answers: { model: 'm' }, files: generated, next: [], warnings: [] }
  return planScaffold(folder, scaffold, before, await standingFiles(folder, paths))
}

async function applied(generated: readonly GeneratedFile[], conflicts = false): Promise<ScaffoldPlan> {
  const plan = await planned(generated)
  const edited = await applyPlan(plan, await remembered(folder, 'cron'), 'mlops 0.0.0', conflicts)
  assert.deepEqual(edited, [])
  return plan
}

const actions = ({ changes }: ScaffoldPlan): Record<string, FileChange['action']> =>
  Object.fromEntries(changes.map(({ path, action }) => [path, action]))

describe('Scaffolding for the first time', () => {
  it('writes every file, remembers each, and has nothing to do the second time', async () => {
    const generated = [
      { ...files({ 'run.sh': 'echo\n' })[0], executable: true } as GeneratedFile,
      ...files({ 'a/b/c.py': body() }),
    ]
    assert.deepEqual(actions(await applied(generated)), { 'run.sh': 'create', 'a/b/c.py': 'create' })
    assert.equal(read('a/b/c.py'), body())
    assert.equal(statSync(at('run.sh')).mode & 0o777, 0o755)
    assert.equal(read('.mlops-scaffold/cron/base/a/b/c.py'), body())
    const again = await planned(generated)
    assert.equal(again.upToDate, true)
    assert.deepEqual(actions(again), { 'run.sh': 'unchanged', 'a/b/c.py': 'unchanged' })
    assert.deepEqual(readdirSync(at('.mlops-scaffold/cron')).sort(), ['answers.json', 'base'])
  })

  it('refuses to write over a file that it did not generate', async () => {
    write('a.py', 'mine\n')
    assert.deepEqual(actions(await planned(files({ 'a.py': body() }))), { 'a.py': 'conflict' })
  })

  it('takes a file as its own that is equal to what it would write', async () => {
    write('a.py', body())
    assert.deepEqual(actions(await applied(files({ 'a.py': body() }))), { 'a.py': 'unchanged' })
    assert.deepEqual(actions(await planned(files({ 'a.py': body(['two', '2']) }))), { 'a.py': 'replace' })
  })

  it('leaves a hook of yours alone where there is one already', async () => {
    write('hooks.py', 'mine\n')
    assert.deepEqual(actions(await applied(files({ 'hooks.py': 'begin\n' }, ['hooks.py']))), { 'hooks.py': 'yours' })
    assert.equal(read('hooks.py'), 'mine\n')
  })
})

describe('Scaffolding again', () => {
  it('replaces what nobody edited, merges what somebody did, leaves what is theirs', async () => {
    const yours = ['hooks.py']
    await applied(files({ 'plain.py': body(), 'edited.py': body(), 'gone.py': body(), 'hooks.py': 'begin\n' }, yours))
    write('edited.py', body(['two', 'mine']))
    write('hooks.py', 'mine\n')
    unlinkSync(at('gone.py'))
    const next = body(['seven', 'new'])
    const plan = await applied(
      files({ 'plain.py': next, 'edited.py': next, 'gone.py': next, 'hooks.py': 'other\n' }, yours),
    )
    assert.deepEqual(actions(plan), {
      'plain.py': 'replace',
      'edited.py': 'merge',
      'gone.py': 'deleted',
      'hooks.py': 'yours',
    })
    assert.equal(read('plain.py'), next)
    assert.equal(read('edited.py'), body(['two', 'mine'], ['seven', 'new']))
    assert.equal(read('hooks.py'), 'mine\n')
    assert.equal(existsSync(at('gone.py')), false)
  })

  it('merges a deleted file against the beginning it had when it is brought back', async () => {
    await applied(files({ 'a.py': body() }))
    unlinkSync(at('a.py'))
    await applied(files({ 'a.py': body(['seven', 'new']) }))
    write('a.py', body(['two', 'mine']))
    await applied(files({ 'a.py': body(['seven', 'new']) }))
    assert.equal(read('a.py'), body(['two', 'mine'], ['seven', 'new']))
  })

  it('removes a file whose template is gone, and leaves it when somebody edited it', async () => {
    await applied(files({ 'deep/old.py': body(), 'edited.py': body(), 'stays.py': body() }))
    write('edited.py', 'mine\n')
    const plan = await applied(files({ 'stays.py': body() }))
    assert.deepEqual(actions(plan), { 'deep/old.py': 'remove', 'edited.py': 'left', 'stays.py': 'unchanged' })
    assert.equal(existsSync(at('deep')), false)
    assert.equal(existsSync(at('.mlops-scaffold/cron/base/deep')), false)
    assert.equal(read('edited.py'), 'mine\n')
    assert.deepEqual(actions(await planned(files({ 'stays.py': body() }))), { 'stays.py': 'unchanged' })
  })

  it('names the lines of a conflict, and writes markers only when it is told to', async () => {
    await applied(files({ 'a.py': body(), 'b.py': body() }))
    write('a.py', body(['four', 'mine']))
    const next = files({ 'a.py': body(['four', 'theirs']), 'b.py': body(['one', '1']) })
    const plan = await planned(next)
    const conflict = plan.changes[0]
    assert.ok(conflict?.action === 'conflict')
    assert.deepEqual(conflict.lines, [4])
    await applied(next, true)
    assert.match(
      read('a.py'),
      /<<<<<<< yours\nmine\n\|\|\|\|\|\|\| as it was generated\nfour\n=======\ntheirs\n>>>>>>> /,
    )
    assert.equal(read('b.py'), body(['one', '1']))
    assert.deepEqual(actions(await planned(next)), { 'a.py': 'conflict', 'b.py': 'unchanged' })
    write('a.py', body(['four', 'both']))
    assert.deepEqual(actions(await planned(next)), { 'a.py': 'unchanged', 'b.py': 'unchanged' })
  })

  it('keeps line ends and permissions as a person has them', async () => {
    await applied(files({ 'a.py': body() }))
    write('a.py', body(['two', 'mine']).replaceAll('\n', '\r\n'))
    chmodSync(at('a.py'), 0o600)
    assert.equal((await planned(files({ 'a.py': body() }))).upToDate, true)
    await applied(files({ 'a.py': body(['seven', 'new']) }))
    assert.equal(read('a.py'), body(['two', 'mine'], ['seven', 'new']).replaceAll('\n', '\r\n'))
    assert.equal(statSync(at('a.py')).mode & 0o777, 0o600)
  })

  it('shows a conflict when the beginning of an edited file was tampered with', async () => {
    await applied(files({ 'a.py': body() }))
    write('.mlops-scaffold/cron/base/a.py', 'nonsense\n')
    write('a.py', body(['two', 'mine']))
    assert.deepEqual(actions(await planned(files({ 'a.py': body(['seven', 'new']) }))), { 'a.py': 'conflict' })
  })

  it('does not go on with a memory that it cannot read', async () => {
    await applied(files({ 'a.py': body() }))
    for (const text of [
      '<<<<<<< HEAD\n',
      '[]',
      '{"format":1}',
      JSON.stringify({ format: 1, kind: 'cron', answers: {}, files: { '../x': { sha256: 'a' } } }),
    ]) {
      write('.mlops-scaffold/cron/answers.json', text)
      await assert.rejects(planned([]), { code: 'SCAFFOLD_MEMORY_DAMAGED' })
    }
    write('.mlops-scaffold/cron/answers.json', '{"format":2}')
    await assert.rejects(planned([]), { code: 'SCAFFOLD_NEWER' })
  })
})

describe('Scaffolding stays in its folder', () => {
  it('takes no path that leads out of it, into git, or that comes twice', async () => {
    for (const path of [
      '../a',
      '/a',
      'a/../b',
      'a//b',
      '.git/hooks/x',
      'x/.GIT/y',
      '.mlops-scaffold/x',
      'a\\b',
      'c:x',
      'a\nb',
      '',
    ]) {
      await assert.rejects(planned(files({ [path]: 'x' })), RangeError, path)
    }
    await assert.rejects(planned([...files({ 'a.py': '1' }), ...files({ 'A.py': '2' })]), /comes twice/)
  })

  it('writes through no symbolic link, to a file or to a folder', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'mlops-outside-'))
    try {
      writeFileSync(join(outside, 'a.py'), 'theirs\n')
      symlinkSync(join(outside, 'a.py'), at('a.py'))
      symlinkSync(outside, at('sub'))
      const plan = await planned(files({ 'a.py': body(), 'sub/b.py': body() }))
      assert.deepEqual(actions(plan), { 'a.py': 'conflict', 'sub/b.py': 'conflict' })
      await applied(files({ 'a.py': body(), 'sub/b.py': body() }), true)
      assert.equal(readFileSync(join(outside, 'a.py'), 'utf8'), 'theirs\n')
      assert.deepEqual(readdirSync(outside), ['a.py'])
    } finally {
      rmSync(outside, { recursive: true })
    }
  })

  it('follows no link that takes the place of a folder after the plan was made', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'mlops-outside-'))
    try {
      const plan = await planned(files({ 'sub/b.py': body() }))
      symlinkSync(outside, at('sub'))
      await assert.rejects(applyPlan(plan, await remembered(folder, 'cron'), 'mlops', false), {
        code: 'SCAFFOLD_NOT_WRITTEN',
      })
      assert.deepEqual(readdirSync(outside), [])
    } finally {
      rmSync(outside, { recursive: true })
    }
  })

  it('keeps its memory in no folder that is a link', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'mlops-outside-'))
    try {
      mkdirSync(at('.mlops-scaffold/cron'), { recursive: true })
      symlinkSync(outside, at('.mlops-scaffold/cron/base'))
      await assert.rejects(applied(files({ 'b.py': body() })), { code: 'SCAFFOLD_NOT_WRITTEN' })
      assert.deepEqual(readdirSync(outside), [])
    } finally {
      rmSync(outside, { recursive: true })
    }
  })

  it('does not go on with a plan that somebody wrote by hand and that leads out', async () => {
    write(
      '.mlops-scaffold/cron/pending.json',
      JSON.stringify({
        format: 1,
        writes: [{ path: '../x', content: 'x', mode: 420, before: null }],
        answers: { format: 1 },
      }),
    )
    await assert.rejects(finish(), { code: 'SCAFFOLD_MEMORY_DAMAGED' })
  })
})

describe('An interrupted update that somebody wrote by hand', () => {
  /** As one is left by a kill, changed by `tamper`. */
  async function left(tamper: (journal: Journal) => Partial<Journal> = () => ({})): Promise<void> {
    await applied(files({ 'a.py': body(), 'hooks.py': 'mine\n' }, ['hooks.py']))
    const next = files({ 'a.py': body(['two', 'new']), 'b.py': body(), 'hooks.py': 'mine\n' }, ['hooks.py'])
    await interrupted(await planned(next))
    const journal = JSON.parse(read(PENDING)) as Journal
    write(PENDING, JSON.stringify({ ...journal, ...tamper(journal) }))
  }
  const digestOf = (path: string) => sha256(readFileSync(at(path)))
  const refused = async (why: RegExp) => {
    await assert.rejects(finish(), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'SCAFFOLD_MEMORY_DAMAGED')
      assert.match(error.message, why)
      return true
    })
    assert.equal(read('a.py'), body(), 'nothing was touched')
    assert.ok(!existsSync(at('b.py')) && existsSync(at(PENDING)))
  }
  const more = (journal: Journal, write: Partial<Write>) => ({
    writes: [...journal.writes, { path: 'x.py', content: 'x', mode: 0o644, before: null, ...write }],
  })

  it('is finished when it is one of ours, and what it did is said', async () => {
    await left()
    assert.deepEqual(await finish(), { written: ['0', 'a.py', 'b.py'], removed: [], edited: [] })
    assert.equal(read('a.py'), body(['two', 'new']))
  })

  it('is finished with the permissions that a file of yours has', async () => {
    await applied(files({ 'a.py': body() }))
    chmodSync(at('a.py'), 0o660)
    await interrupted(await planned(files({ 'a.py': body(['two', 'new']) })))
    await finish()
    assert.equal(statSync(at('a.py')).mode & 0o777, 0o660)
  })

  it('is finished when all was written but the end of it, also what is yours', async () => {
    const generated = files({ 'a.py': body(), 'hooks.py': 'mine\n' }, ['hooks.py'])
    await interrupted(await planned(generated))
    const journal = read(PENDING)
    await finish()
    for (const hooks of ['mine\n', 'edited\n']) {
      write('hooks.py', hooks)
      write(PENDING, journal)
      await finish()
      assert.deepEqual([read('hooks.py'), existsSync(at(PENDING))], [hooks, false])
    }
  })

  it('is refused with a mode that no generated file has', async () => {
    await left((journal) => ({ writes: journal.writes.map((each) => ({ ...each, mode: 0o4755 })) }))
    await refused(/with the mode 4755/)
  })

  it('is refused with a path that it does not name as generated', async () => {
    await left((journal) => more(journal, {}))
    await refused(/"x\.py", which is none of the files that it says it generates/)
  })

  it('is refused when it would write over or remove a file of yours', async () => {
    await left((journal) => ({
      ...more(journal, { path: 'hooks.py', before: digestOf('hooks.py') }),
      answers: {
        ...journal.answers,
        files: { ...journal.answers.files, 'hooks.py': { sha256: digestOf('hooks.py'), care: 'kept in step' } },
      },
    }))
    await refused(/"hooks\.py", which is yours/)
    const journal = JSON.parse(read(PENDING)) as Journal
    const removes = [{ path: 'hooks.py', before: digestOf('hooks.py') }]
    write(PENDING, JSON.stringify({ ...journal, writes: [], removes }))
    await refused(/would remove "hooks\.py", which was not generated or is yours/)
    write('notes.txt', 'mine')
    write(
      PENDING,
      JSON.stringify({ ...journal, writes: [], removes: [{ path: 'notes.txt', before: digestOf('notes.txt') }] }),
    )
    await refused(/would remove "notes\.txt"/)
  })

  it('is refused when git tracks it: it came with the repository', async () => {
    await left()
    const git = (...words: string[]) => execFileSync('git', ['-C', folder, ...words], { stdio: 'ignore' })
    git('init', '-q')
    git('add', '-f', PENDING)
    await refused(/git tracks it/)
  })
})

describe('A file that is saved between the plan and its carrying out', () => {
  it('is not written over', async () => {
    await applied(files({ 'a.py': body(), 'gone.py': body() }))
    const next = files({ 'a.py': body(['seven', 'new']), 'b.py': body() })
    const plan = await planned(next)
    write('a.py', body(['two', 'mine']))
    write('b.py', 'mine\n')
    write('gone.py', 'mine\n')
    const edited = await applyPlan(plan, await remembered(folder, 'cron'), 'mlops', false)
    assert.deepEqual(edited, ['a.py', 'b.py'])
    assert.deepEqual([read('b.py'), read('gone.py')], ['mine\n', 'mine\n'])
    assert.deepEqual(actions(await planned(next)), { 'a.py': 'merge', 'b.py': 'conflict' })
  })
})

describe('A file that is edited while an update is applied', () => {
  it('is left as it is and merged by the next one', async () => {
    await applied(files({ 'a.py': body(), 'b.py': body() }))
    const next = files({ 'a.py': body(['seven', 'new']), 'b.py': body(['seven', 'new']) })
    const plan = await planned(next)
    // What the journal saw and what stands there differ: as when an editor saves after a kill.
    const before = await remembered(folder, 'cron')
    const edited = await applyEdited(plan, before)
    assert.deepEqual(edited, ['a.py'])
    assert.equal(read('a.py'), body(['two', 'mine']))
    assert.equal(read('b.py'), body(['seven', 'new']))
    await applied(next)
    assert.equal(read('a.py'), body(['two', 'mine'], ['seven', 'new']))
  })
})

const PENDING = '.mlops-scaffold/cron/pending.json'
const finish = () => finishInterrupted(folder, 'cron', { PATH: process.env.PATH })

/** Leaves the journal of a plan, and nothing done. */
async function interrupted(plan: ScaffoldPlan, before?: Awaited<ReturnType<typeof remembered>>): Promise<void> {
  // A dangling link in the place of the first file stops the update after the journal was written.
  symlinkSync(at('nowhere'), at('0'))
  const first: FileChange = { path: '0', action: 'create', content: 'x', mode: 0o644, before: null }
  const generated = [...files({ '0': 'x' }), ...plan.scaffold.files]
  const stopped = { ...plan, changes: [first, ...plan.changes], scaffold: { ...plan.scaffold, files: generated } }
  const known = before ?? (await remembered(folder, 'cron'))
  await assert.rejects(applyPlan(stopped, known, 'mlops', false), { code: 'SCAFFOLD_NOT_WRITTEN' })
  unlinkSync(at('0'))
}

/** Writes the journal, then the edit, then finishes. */
async function applyEdited(
  plan: ScaffoldPlan,
  before: Awaited<ReturnType<typeof remembered>>,
): Promise<readonly string[]> {
  await interrupted(plan, before)
  write('a.py', body(['two', 'mine']))
  const { edited } = await finish()
  unlinkSync(at('0'))
  return edited
}
