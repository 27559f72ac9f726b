/** Runs deleted, restored and purged, and the store cleaned up after them: the built binary in a real project. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { assertMatchesSchema, BINARY, type TempProject, tempProject } from '../harness.ts'
import { openTerminal, skipWithoutTmux } from '../terminal.ts'

const TRAIN = `
require('node:fs').writeFileSync('model.json', JSON.stringify({ seed: process.env.MLOPS_SEED }))
console.log('auc: 0.81')
`

/** Three runs of which a version was made of the first. @returns their ids, oldest first */
async function tracked(): Promise<{ project: TempProject; ids: string[] }> {
  const project = tempProject({ 'train.js': TRAIN })
  await project.mlops(['init', '--yes', '--name', 'churn-model'])
  for (const seed of ['1', '2', '3']) {
    const track = ['track', '--model', 'churn-model', '--artifact', 'model.json', '--seed', seed]
    await project.mlops([...track, '--', process.execPath, 'train.js'])
    if (seed === '1') await project.mlops(['register', 'churn-model', '--run', '@last'])
  }
  const { json } = await project.mlops(['run', 'list', '--json'])
  return { project, ids: json.data.runs.map(({ run }: { run: string }) => run).reverse() }
}

/** As if a month had passed since anything was needed. */
function aMonthLater(project: TempProject): void {
  const then = new Date(Date.now() - 30 * 86_400e3)
  for (const folder of ['objects/sha256', 'trash/objects']) {
    const top = project.path('.mlops', folder)
    if (!existsSync(top)) continue
    for (const entry of readdirSync(top, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) utimesSync(join(entry.parentPath, entry.name), then, then)
    }
  }
}

describe('Runs in the trash', function () {
  this.timeout(60_000)
  let project: TempProject
  let ids: string[]
  before(async () => {
    ;({ project, ids } = await tracked())
  })

  it('are not those that a version was made of', async () => {
    const { stderr } = await project.mlops(['run', 'delete', ids[0] ?? ''], { code: 3 })
    assert.match(stderr, /not deleted, because churn-model@1 names it\. Nothing was deleted/)
  })

  it('are in no list but that of the deleted, and come back', async () => {
    const [, second = '', third = ''] = ids
    const { json } = await project.mlops(['run', 'delete', second, third, '--reason', 'wrong data', '--json'])
    assertMatchesSchema('run delete', json)
    assert.equal((await project.mlops(['run', 'list', '--json'])).json.data.total, 1)
    const deleted = (await project.mlops(['run', 'list', '--deleted', '--json'])).json
    assertMatchesSchema('run list', deleted)
    assert.deepEqual(new Set(deleted.data.deleted.map(({ run }: { run: string }) => run)), new Set([second, third]))
    assert.match((await project.mlops(['run', 'list', '--deleted'])).stdout, /just now.*wrong data/)
    assert.match(
      (await project.mlops(['run', 'delete', second], { code: 4 })).stderr,
      /in the trash already.*\n.*run restore/,
    )
    const back = (await project.mlops(['run', 'restore', second.toLowerCase(), '--json'])).json
    assertMatchesSchema('run restore', back)
    assert.equal((await project.mlops(['run', 'show', second, '--json'])).json.data.status, 'finished')
    await project.mlops(['run', 'restore', second], { code: 4 })
  })

  it('are purged when somebody says so, and keep what they stored until then', async () => {
    const third = ids[2] ?? ''
    const early = (await project.mlops(['run', 'purge'])).stdout
    assert.match(early, /^Nothing to purge that was deleted more than 30 days ago\.[\s\S]*1 run stays:/)
    assert.match(early, /Sooner: mlops run purge --older-than 0s$/m)
    aMonthLater(project)
    assert.equal((await project.mlops(['store', 'gc', '--json'])).json.data.aside.objects, 0)
    assert.match((await project.mlops(['run', 'purge', third, '--yes'], { code: 3 })).stderr, /--older-than 0s/)
    const refused = await project.mlops(['run', 'purge', third, '--older-than', '0s'], { code: 2 })
    assert.match(refused.stderr, /Pass --yes/)
    const plan = (await project.mlops(['run', 'purge', '--older-than', '0s', '--dry-run', '--json'])).json
    assert.deepEqual([plan.data.purged, plan.data.runs.length], [false, 1])
    const { json } = await project.mlops(['run', 'purge', third, '--older-than', '0s', '--yes', '--json'])
    assertMatchesSchema('run purge', json)
    await project.mlops(['run', 'restore', third], { code: 4 })
    await project.mlops(['store', 'verify'])
  })

  it('leave behind what store gc shows, then puts aside, then frees', async () => {
    const { stdout } = await project.mlops(['store', 'gc'])
    assert.match(
      stdout,
      /0 B would be freed now, and \d+ B after another 14 days.*\n.*1 object, .*would be put into the trash/,
    )
    assert.match(stdout, /Nothing was changed\. Do it: mlops store gc --delete/)
    const { json } = await project.mlops(['store', 'gc', '--delete', '--json'])
    assertMatchesSchema('store gc', json)
    assert.deepEqual([json.data.removed, json.data.aside.digests.length, json.data.freed], [true, 1, 0])
    assert.equal((await project.mlops(['store', 'gc', '--delete', '--json'])).json.data.expired.objects, 0)
    await project.mlops(['store', 'verify'])
    await project.mlops(['model', 'export', 'churn-model@1', '--output', 'v1.tar'])
    const { stderr } = await project.mlops(['store', 'gc', '--grace', '1h'], { code: 2 })
    assert.match(stderr, /at least a day/)
  })

  it('are chosen by a filter, shown first, and only deleted when that is confirmed', async () => {
    const filter = ['run', 'delete', '--where', 'status = finished']
    const plan = (await project.mlops([...filter, '--dry-run', '--json'])).json
    assert.deepEqual([plan.data.deleted, plan.data.runs.length, plan.data.kept.length], [false, 1, 1])
    await project.mlops(filter, { code: 2 })
    const { stdout } = await project.mlops([...filter, '--yes'])
    assert.match(stdout, /1 run put into the trash[\s\S]*1 run stays[\s\S]*churn-model@1 names it/)
    assert.match((await project.mlops(['run', 'delete'], { code: 2 })).stderr, /No run is named/)
    const none = await project.mlops(['run', 'restore', '--where', 'status = failed'])
    assert.equal(none.stdout, 'Nothing was restored.\n')
    const back = await project.mlops(['run', 'restore', '-w', 'status = finished', '-w', 'started > 1d', '--json'])
    assert.equal(back.json.data.restored.length, 1)
    assert.match((await project.mlops(['run', 'restore'], { code: 2 })).stderr, /No run is named/)
  })
})

describe('On a terminal, run purge', () => {
  it('shows what would go and asks; Enter alone is no', async function () {
    skipWithoutTmux(this)
    this.timeout(60_000)
    const { project, ids } = await tracked()
    await project.mlops(['run', 'delete', ids[2] ?? ''])
    const terminal = openTerminal({ cwd: project.dir })
    try {
      terminal.type(`${process.execPath} ${BINARY} run purge --older-than 0s; echo "code $?"`)
      terminal.press('Enter')
      await terminal.waitFor(/1 run would be removed for good[\s\S]*Remove them for good\?.*y\/N/)
      terminal.press('Enter')
      await terminal.waitFor(/Nothing was purged[\s\S]*code 130/)
    } finally {
      terminal.close()
    }
    assert.deepEqual(readdirSync(project.path('.mlops/trash/runs')).length, 2)
  })
})
