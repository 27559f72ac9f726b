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
    let project: TempProject
    /** Milliseconds that a whole import takes. */
    let whole: number
    before(async () => {
      buildOnce()
      project = tempProject()
      await project.mlops(['init', '--yes'])
      await archiveInto(project, 'large.tar', 60_000_000)
      const other = tempProject()
      await other.mlops(['init', '--yes'])
      const start = performance.now()
      await other.mlops(['model', 'import', project.path('large.tar')])
      whole = performance.now() - start
    })

    const stopAt = async (share: number, signal: 'SIGKILL' | 'SIGINT'): Promise<number | null> => {
      const child = spawn(process.execPath, [BINARY, 'model', 'import', 'large.tar'], {
        cwd: project.dir,
        env: cleanEnv(),
        stdio: 'ignore',
      })
      const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
      await setTimeout(whole * share)
      child.kill(signal)
      return ended
    }
    const events = (): string[] => {
      const models = readdirSync(project.path('.mlops/models'))
      return models.flatMap((model) => readdirSync(project.path('.mlops/models', model, 'log')))
    }

    it('leaves no event and no half object, and can be done again: killed', async () => {
      let killed = 0
      for (const share of [0.15, 0.3, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95]) {
        const code = await stopAt(share, 'SIGKILL')
        if (code === 0) break
        if (events().length === 0) killed += 1
        const report = await verifyStore(project.path('.mlops'))
        assert.deepEqual(report.damages, [])
        if (events().length > 0) break
      }
      assert.ok(killed > 0, 'no import was killed before its event')
    })

    it('leaves no event and no half object, and can be done again: interrupted', async () => {
      if (events().length > 0) return
      const before = readdirSync(project.path('.mlops/tmp')).length
      const codes: (number | null)[] = []
      for (const share of [0.4, 0.6, 0.8]) {
        codes.push(await stopAt(share, 'SIGINT'))
        if (events().length > 0) break
        assert.equal(readdirSync(project.path('.mlops/tmp')).length, before)
      }
      assert.ok(codes.includes(130) || codes.includes(0), `it ended with ${codes.join(', ')}`)
    })

    it('is whole when it is done again', async () => {
      await project.mlops(['model', 'import', 'large.tar'])
      assert.deepEqual(events(), ['0000000001.json'])
      const report = await verifyStore(project.path('.mlops'))
      assert.deepEqual(report.damages, [])
      await project.mlops(['model', 'verify', M])
    })
  })
})
