/** What is a record of a log, and what only looks like one. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FolderSearch } from '../../../src/predictions/find-day.ts'
import { recordOf, recordProblem } from '../../../src/predictions/find-record.ts'

const DATE = '2026-11-20'
const members = (more: Readonly<Record<string, unknown>>) => ({
  ...{ id: 'a', model: 'churn', time: `${DATE}T12:00:00.000Z`, version: 3, features: {}, output: 1 },
  ...more,
})
const problemOf = (more: Readonly<Record<string, unknown>>) => recordProblem(members(more), 'churn', { date: DATE })

describe('A line of the prediction log', () => {
  it('is attributed to a version that it names as a whole number, or in digits', () => {
    assert.equal(problemOf({}), undefined)
    assert.equal(recordOf(members({ version: '12' }), '').version, 12)
    assert.equal(problemOf({ version: '12' }), undefined)
    for (const version of [true, false, [1], [], '', ' 1', '0x2', '1e0', '1.0', 1.5, -1, null, {}, undefined]) {
      assert.match(problemOf({ version }) ?? '', /is no version number/, JSON.stringify(version))
    }
  })

  it('that is nested 50,000 deep is no record, whichever member it is', () => {
    const deep = JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`) as unknown
    for (const name of ['features', 'output', 'time', 'version', 'other'])
      assert.match(problemOf({ [name]: deep }) ?? '', /nested more than 200 deep/)
    assert.equal(problemOf({ output: JSON.parse(`${'['.repeat(150)}${']'.repeat(150)}`) as unknown }), undefined)
  })

  it('with a number as its id is named, when that is asked for', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mlops-find-'))
    mkdirSync(join(folder, `date=${DATE}`))
    const file = join(folder, `date=${DATE}`, 'py-0123456789abcdef-0001.jsonl')
    writeFileSync(
      file,
      `${JSON.stringify(members({ id: 4711 }))}\n${JSON.stringify(members({ id: 'x', output: 4711 }))}\n`,
    )
    const search = new FolderSearch(folder, 'churn', '4711', { cwd: folder })
    const found = await search.day(DATE)
    search.close()
    rmSync(folder, { recursive: true })
    assert.deepEqual(found.records, [])
    assert.deepEqual(
      found.rejected.map(({ why }) => why),
      ['its id is a number; an id is a text'],
    )
  })
})
