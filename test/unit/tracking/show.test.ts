/** Everything recorded of one run, put together and drawn. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { ulid } from '../../../src/core/ulid.ts'
import type { Annotation, RunStart } from '../../../src/store/run-records.ts'
import { showRun } from '../../../src/tracking/records/run-summary.ts'
import { displayWidth } from '../../../src/ui/clean.ts'
import { createStyle } from '../../../src/ui/style.ts'
import { createUi, type Ui } from '../../../src/ui/ui.ts'
import { renderRun } from '../../../src/ui/views/run-show.ts'
import { type Workshop, workshop } from './support.ts'

const STARTED = '2024-11-20T10:00:00.000Z'
const ID = ulid(Date.parse(STARTED))
const CHILD = ulid(Date.parse(STARTED) + 60_000)
const digest = (digit: string): string => digit.repeat(64)
const LONG = 'x'.repeat(500)
/** Everything that any writer records. */
const START: RunStart = {
  format: 1,
  id: ID,
  model: 'churn-model',
  started: STARTED,
  command: ['python', 'train.py', '--note', LONG],
  cwd: '.',
  git: {
    commit: digest('a').slice(0, 40),
    branch: 'main',
    remote: 'https://example.com/team/churn.git',
    dirty: true,
    patch: { sha256: digest('b'), size: 1200, files: ['train.py', `src/${LONG}.py`] },
    submodules: [
      { path: 'libs/features', commit: digest('c').slice(0, 40), url: 'https://example.com/features.git', dirty: true },
    ],
  },
  python: {
    executable: '/opt/venv/bin/python',
    version: '3.11.7',
    lock: { sha256: digest('d'), packages: 142 },
    environment: { sha256: digest('e'), size: 9000, manager: 'uv', hashed: 140 },
  },
  env: { LANG: 'C.UTF-8', LONG },
  host: {
    ...{ name: 'trainer', platform: 'linux x86_64', cpus: 64, memory: 512e9, cpu: 'AMD EPYC 9554', release: '6.1.0' },
    gpus: [{ name: 'NVIDIA H100', memory: 80e9, driver: '550.54' }],
  },
  seed: 42,
  seedFrom: 'flag',
  data: [
    {
      ...{
        name: 'train',
        path: 'data/train',
        kind: 'directory',
        sha256: digest('1'),
        size: 9e8,
        files: 70_000,
        snapshot: true,
      },
      dvc: { file: 'data/train.dvc', md5: `${digest('2').slice(0, 32)}.dir`, matches: false },
    },
  ],
  params: { random_state: 7, note: LONG },
  tags: ['nightly', 'old'],
  actor: { name: 'ada@trainer', origin: 'local' },
  tool: 'mlops test',
  source: 'track',
  process: { pid: 1, place: 'another boot' },
  parent: '01JD3Y00000000000000000000',
}

describe('mlops run show', () => {
  let shop: Workshop
  before(async () => {
    shop = await workshop()
    const writer = await shop.store.runs.create(START)
    const lines = Array.from({ length: 2000 }, (_, n) => ({
      t: new Date(Date.parse(START.started) + n).toISOString(),
      key: n % 2 === 0 ? 'train/loss' : 'a metric with a name that is longer than most are, by far',
      value: n % 100 === 0 ? Number.NaN : 1 / (n + 1),
      step: n,
    }))
    await writer.append('metrics', [...lines, { t: START.started, key: 'final', value: 0.123456789 }])
    await shop.store.runs.create({ ...START, id: CHILD, started: '2024-11-20T10:01:00.000Z', parent: ID })
    await writer.end({
      ...{ format: 1, status: 'failed', exit: 1, signal: null, ended: '2024-11-20T11:00:00.000Z', duration: 3600 },
      ...{ metrics: { 'train/loss': 0.0005, final: 0.123456789, [lines[1]?.key ?? '']: 'NaN' } },
      ...{
        params: START.params,
        tags: START.tags,
        artifacts: [{ path: `models/${LONG}`, sha256: digest('3'), size: 5e6 }],
      },
      resources: { maxRssBytes: 3e9, cpuSeconds: 86_000, memoryOf: 'family' },
      warnings: [`a remark of many words ${'and so on '.repeat(30)}`],
    })
    const said: Pick<Annotation, 'format' | 'run' | 'actor' | 'time'> = {
      ...{ format: 1, run: ID, actor: { name: 'grace', origin: 'local' }, time: '2024-11-21T09:00:00.000Z' },
    }
    await shop.store.runs.annotate({
      ...said,
      id: '01JD4000000000000000000000',
      kind: 'tags',
      add: ['keep'],
      remove: ['old'],
    })
    await shop.store.runs.annotate({
      ...said,
      id: '01JD4000000000000000000001',
      kind: 'note',
      text: 'the one for the paper',
    })
    await shop.store.runs.annotate({
      ...said,
      id: '01JD4000000000000000000002',
      kind: 'reproduced',
      by: CHILD,
      verdict: 'within tolerance',
    })
  })
  after(() => shop?.remove())

  const detail = () => showRun(shop.context(), shop.store, ID)
  const ui = (width: number, unicode = true): Ui =>
    createUi({
      style: createStyle({ color: false, unicode }),
      width,
      now: new Date('2024-11-22T00:00:00Z'),
      quiet: false,
    })

  it('has what was recorded, what was said of it later, and the runs it started', async () => {
    const run = await detail()
    assert.deepEqual(run.tags, ['nightly', 'keep'])
    assert.deepEqual(run.notes, [{ text: 'the one for the paper', by: 'grace', time: '2024-11-21T09:00:00.000Z' }])
    assert.deepEqual(run.reproductions, [{ by: CHILD, verdict: 'within tolerance', time: '2024-11-21T09:00:00.000Z' }])
    assert.deepEqual(
      run.children.map((child) => [child.run, child.status]),
      [[CHILD, 'running']],
    )
    assert.deepEqual(
      run.series.map(({ key, count }) => [key.slice(0, 8), count]),
      [
        ['train/lo', 1000],
        ['a metric', 1000],
      ],
    )
    assert.equal(run.series[0]?.nonFinite, 20)
    assert.equal(run.history[0]?.values.length, run.series[0]?.points.length)
    assert.equal(run.life, null)
  })

  it('says it all to a person', async () => {
    const text = renderRun(ui(200), { ...(await detail()), wishes: [] })
    for (const words of [
      new RegExp(`run ${ID} failed \\(exit code 1\\)`),
      /command +python train\.py --note x+…/,
      /submodule +libs\/features c{12} \(https:\/\/example\.com\/features\.git\), with changes not committed/,
      /packages +142 of uv, 140 of them known by digest/,
      /seed +42 \(--seed\); in parameters: random_state=7/,
      /host +linux x86_64 6\.1\.0, 64 CPUs \(AMD EPYC 9554\), 512 GB of memory/,
      /gpu +NVIDIA H100, 80 GB, driver 550\.54/,
      /used +3 GB of memory at most, 23 h 53 min of CPU/,
      /tags +nightly, keep/,
      new RegExp(`repeated +by ${CHILD}: within tolerance`),
      /train {2}data\/train {2}70,000 files {2}900 MB {2}1{12} {2}kept in the store/,
      /data\/train\.dvc: md5 2{12}, other bytes/,
      new RegExp(`Runs it started\\n.*${CHILD} running +python train\\.py`),
      /Notes\n {2}the one for the paper {2}grace, 2024-11-21 09:00 UTC/,
      /1,000 values, 20 of them not finite/,
    ]) {
      assert.match(text, words)
    }
  })

  for (const [width, unicode] of [
    [80, true],
    [80, false],
    [200, true],
  ] as const) {
    it(`fits ${width} columns${unicode ? '' : ' in ASCII'}`, async () => {
      const text = renderRun(ui(width, unicode), { ...(await detail()), wishes: [] })
      // The path of the output is there to be copied: it is never cut.
      assert.match(text, /\n {2}\S+output\.log(?:\n|$)/)
      const cut = text.split('\n').filter((line) => !line.endsWith('/output.log'))
      for (const line of cut) assert.ok(displayWidth(line) <= width, `${displayWidth(line)}: ${line}`)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII alone is what is asked for
      if (!unicode) assert.match(text, /^[\x00-\x7f]*$/)
    })
  }

  it('cuts nothing in a pipe', async () => {
    const text = renderRun(ui(Number.POSITIVE_INFINITY), { ...(await detail()), wishes: [] })
    assert.equal(
      text.split(LONG).length - 1,
      6,
      'the command, that of the child, a file of the patch, a variable, a parameter, an artifact',
    )
  })

  it('draws the metric that is asked for', async () => {
    const run = { ...(await detail()), wishes: [] }
    const key = run.series[1]?.key ?? ''
    assert.match(renderRun(ui(80), run), /Metrics\n {2}train\/loss {2}1,000 values/)
    assert.match(renderRun(ui(80), run, key), /Metrics\n {2}a metric with a name that is .* {2}1,000 values/)
    assert.doesNotMatch(renderRun(ui(80), run, 'final'), /┤/, 'one value is no history')
  })

  it('pads no row to the width of a name of 5,000 characters', async () => {
    const run = { ...(await detail()), wishes: [], metrics: { auc: 0.5, ['z'.repeat(5000)]: 1 } }
    for (const width of [80, Number.POSITIVE_INFINITY]) {
      for (const series of [run.series, []]) {
        const lines = renderRun(ui(width), { ...run, series }).split('\n')
        const line = lines.find((each) => /^ *auc /.test(each)) ?? assert.fail()
        assert.ok(line.length <= 130, `${line.length} columns`)
      }
    }
  })

  it('reads no lines where nobody asks for series', async () => {
    rmSync(`${shop.root}/.mlops/runs/${CHILD}/metrics`, { recursive: true, force: true })
    const run = await showRun(shop.context(), shop.store, ID, { points: 0 })
    assert.deepEqual([run.series, run.history, run.metrics.final], [[], [], 0.123456789])
  })

  it('of a run in the trash says that it is there', async () => {
    const { start } = await shop.track(['true'])
    const { actor, tool } = shop.context()
    await shop.store.trash.put({ format: 1, run: start.id, actor, tool, time: '2026-11-21T09:00:00.000Z' })
    await assert.rejects(showRun(shop.context(), shop.store, start.id.toLowerCase().slice(0, 25)), {
      code: 'RUN_NOT_FOUND',
      message: `Run ${start.id} was deleted; it is in the trash.`,
      hint: `Take it back: mlops run restore ${start.id}`,
    })
  })
})
