/** Two in the morning: a rollback through the built binary on a full disk, without a network, past broken things. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { skipBecause } from '../../support/skip.ts'
import { BINARY, cleanEnv, type RunOptions, run, type TempProject, tempProject } from '../harness.ts'

const M = 'churn-model'
const rows = Array.from({ length: 400 }, (_, i) => `${(i * 7) % 100},${i % 4}`)

describe('A rollback at night', function () {
  this.timeout(120_000)

  /** Three versions, of which the third is in production. @param at a folder to make the project in */
  async function project(yaml = ''): Promise<TempProject> {
    const made = tempProject({
      'mlops.yaml': `models:\n  ${M}: {}\n${yaml}`,
      'train.csv': `rides,season\n${rows.join('\n')}\n`,
    })
    await made.mlops(['init', '--yes', '--name', M])
    for (const version of [1, 2, 3]) {
      made.write(`model-${version}.bin`, `weights ${version}`)
      await made.mlops(['register', M, '--artifact', `model-${version}.bin`, '--baseline', 'train.csv'])
      await made.mlops(['promote', `${M}@${version}`, '--to', 'production', '--approve', 'ada'])
    }
    return made
  }

  const production = async (made: TempProject, options?: RunOptions) =>
    (await made.mlops(['model', 'show', `${M}@production`, '--json'], options)).json.data.version

  const damage = async (made: TempProject, version: number) => {
    const { json } = await made.mlops(['model', 'show', `${M}@${version}`, '--json'])
    const [{ sha256 }] = json.data.files
    const path = made.path('.mlops/objects/sha256', sha256.slice(0, 2), sha256.slice(2))
    chmodSync(path, 0o644)
    writeFileSync(path, 'wrong')
  }

  function needsRoot(context: Mocha.Context): void {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) skipBecause(context, 'needs root on Linux to mount')
  }

  describe('on a disk of its own', () => {
    const mounts: string[] = []
    afterEach(() => {
      for (const folder of mounts.splice(0).reverse()) execFileSync('umount', [folder])
    })
    function mount(context: Mocha.Context, folder: string, ...args: readonly string[]): void {
      needsRoot(context)
      mkdirSync(folder, { recursive: true })
      const { status, stderr } = spawnSync('mount', [...args, folder], { encoding: 'utf8' })
      if (status !== 0) skipBecause(context, `nothing can be mounted here: ${stderr.trim()}`)
      mounts.push(folder)
    }

    it('works when the disk is full, temporary folder and all', async function () {
      const made = await project()
      const disk = made.path('disk')
      mount(this, disk, '-t', 'tmpfs', '-o', 'size=8m', 'tmpfs')
      execFileSync('cp', ['-a', made.path('.mlops'), made.path('mlops.yaml'), made.path('train.csv'), disk])
      const tmp = join(disk, 'tmp')
      mkdirSync(tmp)
      spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'filler')}`, 'bs=4k'])
      spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'filler2')}`, 'bs=1'], { timeout: 5_000 })
      const options = { cwd: disk, env: { TMPDIR: tmp } }
      // With data named, so that there is a check that cannot be kept.
      const { code, stdout, stderr } = await run(
        ['rollback', M, '--current', 'train.csv', '--reason', 'night'],
        options,
      )
      assert.equal(code, 0, stdout + stderr)
      assert.match(stdout, /production is back from churn-model@3 to churn-model@2/)
      assert.match(stderr, /the reserve of the store was used/)
      assert.equal(await production(made, options), 2)
      assert.equal((await made.mlops(['store', 'verify', '--json'], options)).json.data.ok, true)
    })

    it('works while the folder of the project is read-only and the store is elsewhere', async function () {
      const made = await project()
      const store = tempProject().path('store')
      execFileSync('cp', ['-a', made.path('.mlops'), store])
      made.write('mlops.yaml', `store: ${store}\nmodels: {}\n`)
      const view = tempProject().path('view')
      mount(this, view, '--bind', made.dir)
      execFileSync('mount', ['-o', 'remount,ro,bind', view])
      const { stdout } = await made.mlops(['rollback', M], { cwd: view })
      assert.match(stdout, /production is back/)
      assert.equal(await production(made, { cwd: view }), 2)
    })
  })

  it('works without a network: the log in PostgreSQL cannot be asked, nor Slack be told', async function () {
    needsRoot(this)
    if (spawnSync('unshare', ['-n', 'true']).status !== 0) skipBecause(this, 'the network cannot be taken away here')
    const made = await project()
    const log = 'predictions: postgres://mlops@10.255.255.1/log, notify: ["slack:#ml"]'
    made.write('mlops.yaml', `models:\n  ${M}: {${log}}\n`)
    const { status, stdout, stderr } = spawnSync('unshare', ['-n', process.execPath, BINARY, 'rollback', M], {
      cwd: made.dir,
      encoding: 'utf8',
      env: cleanEnv({ MLOPS_SLACK_WEBHOOK: 'https://hooks.slack.example/x' }),
    })
    assert.equal(status, 0, stdout + stderr)
    assert.match(stdout, /Not determined whether @2 fits today's data/)
    assert.equal(await production(made), 2)
  })

  it('waits for a database that says nothing no longer than its time', async () => {
    const silent = createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as { port: number }
    try {
      const made = await project()
      made.write('mlops.yaml', `models:\n  ${M}: {predictions: "postgres://mlops@127.0.0.1:${port}/log"}\n`)
      const { stdout } = await made.mlops(['rollback', M], { env: { MLOPS_FIT_SECONDS: '2' } })
      assert.match(stdout, /Not determined whether @2 fits today's data: it took more than 2 s/)
      assert.equal(await production(made), 2)
    } finally {
      silent.close()
    }
  })

  it('is not held up by a version that is damaged and not wanted', async () => {
    const made = await project()
    await damage(made, 1)
    await damage(made, 3)
    await made.mlops(['rollback', M])
    assert.equal(await production(made), 2)
  })

  it('refuses a damaged target and names the next version that is intact', async () => {
    const made = await project()
    await damage(made, 2)
    const { json } = await made.mlops(['rollback', M, '--json'], { code: 1 })
    assert.equal(json.error?.code, 'VERSION_DAMAGED')
    assert.match(json.error?.hint ?? '', /mlops rollback churn-model --to 1$/)
    assert.equal(await production(made), 3)
    await damage(made, 1)
    const none = (await made.mlops(['rollback', M, '--json'], { code: 1 })).json.error?.hint ?? ''
    assert.match(none, /Restore the files named above/)
    assert.doesNotMatch(none, /rollback/)
  })

  describe('with a mlops.yaml that somebody broke', () => {
    let made: TempProject
    beforeEach(async () => {
      made = await project()
    })

    for (const [what, text] of [
      ['is no YAML', 'models: {churn-model: [}\n'],
      ['has an unknown key', 'models:\n  churn-model: {gate: {}}\n'],
      ['still names its store', 'store: ".mlops"   # ours\nstages: 7\n'],
    ] as const) {
      it(`goes back, says what is broken, and does not say that the version fits: it ${what}`, async () => {
        made.write('mlops.yaml', text)
        assert.equal((await made.run(['status'])).code, 2)
        const { stdout, stderr } = await made.mlops(['rollback', M])
        assert.match(stderr, /mlops\.yaml:\d+: .*A rollback goes on without mlops\.yaml, in the store/s)
        assert.match(stdout, /Not determined whether @2 fits today's data: mlops\.yaml cannot be read/)
        made.write('mlops.yaml', 'models: {}\n')
        assert.equal(await production(made), 2)
      })
    }

    it('refuses while it is not certain which store is meant, until that is said', async () => {
      made.write('mlops.yaml', '<<<<<<< ours\nstore: .mlops\n=======\nstore: other\n>>>>>>> theirs\n')
      const { json } = await made.mlops(['rollback', M, '--json'], { code: 2 })
      assert.equal(json.error?.code, 'CONFIG_INVALID')
      assert.match(json.error?.hint ?? '', /--store PATH/)
      await made.mlops(['rollback', M, '--store', '.mlops'])
    })
  })

  it('is one command: the store alone is enough, wherever one stands', async () => {
    const made = await project()
    const elsewhere = tempProject()
    await elsewhere.mlops(['rollback', M, '--store', made.path('.mlops')])
    assert.equal(await production(made), 2)
    assert.ok(existsSync(made.path('mlops.yaml')))
    rmSync(made.path('mlops.yaml'))
    await made.mlops(['rollback', M])
    assert.match(readFileSync(made.path('.mlops/models', M, 'log/0000000008.json'), 'utf8'), /"type":"rollback"/)
  })
})
