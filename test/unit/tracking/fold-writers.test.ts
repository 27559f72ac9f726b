/** Streams of several writers, whole and damaged: the program and the Python client fold them to the same end. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { foldRun, foldStreams } from '../../../src/tracking/records/fold-run.ts'
import { needsPython, PYTHON } from '../../support/python.ts'
import { randomOf } from '../evaluation/support.ts'
import { CLIENT, ROOT, type Workshop, workshop } from './support.ts'

const GIVEN = { params: {}, tags: [] }
const KEYS = ['loss', 'val/auc', 'größe', '__proto__x', '7', '-0']
const VALUES = [0.5, 1, -3, 1e-9, 'NaN', 'Infinity', '-0', '9007199254740993']
const ORIGINS = [undefined, undefined, 'file', 'printed', 'argument']

describe('Streams of several writers', () => {
  let shop: Workshop
  before(async function () {
    needsPython(this)
    shop = await workshop()
  })
  after(() => shop?.remove())

  it('are folded alike by the program, batch by batch and at once, and by the Python client', async () => {
    const next = randomOf(42)
    const pick = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)] as T
    const time = (): string => new Date(Date.UTC(2026, 10, 21, 9) + Math.floor(next() * 20)).toISOString()
    const value = (stream: string) => {
      const t = time()
      if (stream === 'tags') return { t, tag: pick(KEYS) }
      if (stream === 'artifacts')
        return { t, path: pick(KEYS), sha256: pick(['a', 'b']).repeat(64), size: Math.floor(next() * 9) }
      const from = pick(ORIGINS)
      return { t, key: pick(KEYS), value: pick(VALUES), ...(from === undefined ? {} : { from }) }
    }
    const damaged = [
      '{"t":"2026-',
      '[]',
      'null',
      '\0\0\0',
      '{"value":NaN,"key":"loss","t":"2026-11-21T09:00:00.000Z"}',
      '{"key":"loss","value":2}',
      '{"key":"x","t":"2026-11-21T09:00:00.000Z"}',
      '',
    ]
    const folders: string[] = []
    for (let n = 0; n < 60; n++) {
      const id = `01JD3Z${String(n).padStart(20, '0')}`
      folders.push(join(shop.root, '.mlops/runs', id))
      for (const stream of ['metrics', 'params', 'tags', 'artifacts']) {
        for (const writer of ['a', 'b', 'c']) {
          const lines = Array.from({ length: Math.floor(next() * 12) }, () =>
            next() < 0.15 ? pick(damaged) : JSON.stringify(value(stream)),
          )
          mkdirSync(join(folders[n] ?? '', stream), { recursive: true })
          const torn = next() < 0.3 ? JSON.stringify(value(stream)) : ''
          writeFileSync(
            join(folders[n] ?? '', stream, `${writer}.jsonl`),
            lines.map((each) => `${each}\n`).join('') + torn,
          )
        }
      }
    }
    const theirs = execFileSync(PYTHON, [join(ROOT, 'test/python/client/fold_lines.py')], {
      input: folders.map((folder) => `${folder}\n`).join(''),
      env: { PATH: process.env.PATH, PYTHONPATH: CLIENT, PYTHONDONTWRITEBYTECODE: '1', PYTHONUTF8: '1' },
      encoding: 'utf8',
    })
    const lines = theirs.trimEnd().split('\n')
    assert.equal(lines.length, folders.length)
    let compared = 0
    for (const [n, text] of lines.entries()) {
      const id = `01JD3Z${String(n).padStart(20, '0')}`
      const mine = await foldStreams(shop.store, id, GIVEN)
      const [metrics, params, tags, artifacts] = await Promise.all([
        shop.store.runs.stream(id, 'metrics'),
        shop.store.runs.stream(id, 'params'),
        shop.store.runs.stream(id, 'tags'),
        shop.store.runs.stream(id, 'artifacts'),
      ])
      assert.deepEqual(foldRun(GIVEN, { metrics, params, tags, artifacts }), mine)
      const python = JSON.parse(text)
      assert.deepEqual(
        {
          metrics: Object.fromEntries(python.metrics),
          params: Object.fromEntries(python.params),
          tags: python.tags,
          artifacts: python.artifacts,
        },
        mine,
      )
      compared += Object.keys(mine.metrics).length + mine.tags.length
    }
    assert.ok(compared > 300, String(compared))
  })
})
