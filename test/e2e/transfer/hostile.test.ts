/** The built program and archives that are none: refused with the entry named, exit 1, the store byte for byte as it was. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { copyFileSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { parseModelRef } from '../../../src/core/names.ts'
import { verifyStore } from '../../../src/store/verify.ts'
import { exportVersion } from '../../../src/transfer/export.ts'
import { world } from '../../unit/lifecycle/fixture.ts'
import { fullVersion, treeOf } from '../../unit/transfer/archives.ts'
import { BYTES } from '../../unit/transfer/hostile.ts'
import { RECORDS } from '../../unit/transfer/hostile-records.ts'
import { BINARY, buildOnce, cleanEnv, type TempProject, tempProject } from '../harness.ts'

const M = 'churn-model'
/** All of them in process: test/unit/transfer/hostile.test.ts. */
const TRIED = [...BYTES, ...RECORDS.filter((_, n) => n % 6 === 0)]

/** An archive of a version with `size` bytes of weights, made in a store of its own. */
async function archiveInto(project: TempProject, name: string, size: number): Promise<Buffer> {
  const from = await world()
  await fullVersion(from, size)
  const { archive } = await exportVersion(from.ctx, from.store, { ref: parseModelRef(M), output: name })
  copyFileSync(`${from.dir}/${archive.file}`, project.path(name))
  from.remove()
  return readFileSync(project.path(name))
}

describe('mlops model import and archives that are none', function () {
  this.timeout(240_000)

  it(`refuses ${TRIED.length} hostile ones and names the entry`, async () => {
    const project = tempProject()
    await project.mlops(['init', '--yes'])
    const sound = await archiveInto(project, 'sound.tar', 3000)
    const tree = treeOf(project.path('.mlops'))
    const failures: string[] = []
    const queue = TRIED.map((hostile, n) => ({ ...hostile, n }))
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const { what, make, says, n } = next
        project.write(`hostile-${n}.tar`, make(sound))
        const { code, stdout, stderr } = await project.run(['model', 'import', `hostile-${n}.tar`])
        const isRight = code === 1 && says.test(stderr.replace(/\n\s*/g, ' ')) && stdout === ''
        if (!isRight) failures.push(`${what}: ${code}\n${stderr}`)
      }
    }
    await Promise.all([work(), work(), work()])
    assert.deepEqual(failures, [])
    assert.equal(treeOf(project.path('.mlops')), tree)
    await project.mlops(['model', 'import', 'sound.tar'])
  })

  it('is refused by exit code and code for a script, and finds no file where there is none', async () => {
    const project = tempProject({ 'text.tar': 'hello' })
    await project.mlops(['init', '--yes'])
    const unknown = await project.mlops(['model', 'import', 'text.tar', '--json'], { code: 1 })
    assert.equal(unknown.json.error?.code, 'ARCHIVE_UNKNOWN')
    const gone = await project.mlops(['model', 'import', 'gone.tar', '--json'], { code: 4 })
    assert.equal(gone.json.error?.code, 'FILE_NOT_FOUND')
    const folder = await project.mlops(['model', 'import', '.mlops', '--json'], { code: 2 })
    assert.equal(folder.json.error?.code, 'NOT_A_FILE')
  })

  describe('when it is stopped in the middle', () => {
    let large: string
    /** Milliseconds that a whole import takes. */
    let whole: number
    const empty = async (): Promise<TempProject> => {
      const project = tempProject()
      await project.mlops(['init', '--yes'])
      return project
    }
    before(async () => {
      buildOnce()
      const project = await empty()
      await archiveInto(project, 'large.tar', 60_000_000)
      large = project.path('large.tar')
      const start = performance.now()
      await project.mlops(['model', 'import', large])
      whole = performance.now() - start
    })

    const stopAt = async (
      project: TempProject,
      share: number,
      signal: 'SIGKILL' | 'SIGINT',
    ): Promise<number | null> => {
      const child = spawn(process.execPath, [BINARY, 'model', 'import', large], {
        cwd: project.dir,
        env: cleanEnv(),
        stdio: 'ignore',
      })
      const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
      await setTimeout(whole * share)
      child.kill(signal)
      return ended
    }
    const events = (project: TempProject): string[] => {
      const models = readdirSync(project.path('.mlops/models'))
      return models.flatMap((model) => readdirSync(project.path('.mlops/models', model, 'log')))
    }
    const isWholeAfterwards = async (project: TempProject): Promise<void> => {
      await project.mlops(['model', 'import', large])
      assert.deepEqual(events(project), ['0000000001.json'])
      assert.deepEqual((await verifyStore(project.path('.mlops'))).damages, [])
      await project.mlops(['model', 'verify', M])
    }

    /**
     * Stops imports into one store, each a little later than the one before, until `wanted` were stopped before their
     * event. One that was done before begins anew, with less time: how long it takes depends on who else is at work here.
     */
    const stopMany = async (
      signal: 'SIGKILL' | 'SIGINT',
      wanted: number,
      look: (project: TempProject, code: number | null, before: string) => Promise<boolean>,
    ): Promise<TempProject> => {
      let project = await empty()
      let share = 0.4
      let stopped = 0
      for (let tries = 0; stopped < wanted && tries < 40; tries++) {
        const before = treeOf(project.path('.mlops'))
        const code = await stopAt(project, share, signal)
        if (events(project).length > 0) {
          project = await empty()
          share *= 0.7
          continue
        }
        if (await look(project, code, before)) stopped += 1
        share *= 1.12
      }
      assert.equal(stopped, wanted, `only ${stopped} imports were stopped before their event`)
      return project
    }
    /** What is left of a tree but for objects that nobody refers to yet, and their folders. */
    const withoutObjects = (tree: string): string =>
      tree
        .split('\n')
        .filter((line) => !/^\/(?:objects\/sha256|tmp)\//.test(line))
        .join('\n')

    it('leaves no event and no half object, and can be done again: killed', async () => {
      const project = await stopMany('SIGKILL', 5, async (at, _, before) => {
        assert.deepEqual((await verifyStore(at.path('.mlops'))).damages, [])
        assert.equal(withoutObjects(treeOf(at.path('.mlops'))), withoutObjects(before))
        return true
      })
      await isWholeAfterwards(project)
    })

    it('leaves no event and nothing half done, and can be done again: interrupted', async () => {
      const project = await stopMany('SIGINT', 3, async (at, code, before) => {
        // Without a code it was so early that nobody listened yet.
        assert.ok(code === 130 || code === null, `it ended with ${code}`)
        assert.deepEqual(readdirSync(at.path('.mlops/tmp')), [])
        assert.equal(withoutObjects(treeOf(at.path('.mlops'))), withoutObjects(before))
        return code === 130
      })
      await isWholeAfterwards(project)
    })
  })
})
