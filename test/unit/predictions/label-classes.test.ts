/** Labels that come in another spelling than the classes of the training data. */
import assert from 'node:assert/strict'
import { classReader } from '../../../src/predictions/label-classes.ts'
import type { RowShape } from '../../../src/predictions/types.ts'
import { many, type TestLog, testLog, WEEK } from './support.ts'

describe('Labels read as classes of the baseline', () => {
  let test: TestLog
  beforeEach(() => {
    test = testLog()
  })
  afterEach(() => test.remove())

  const read = async (label: (i: number) => unknown, targetClasses?: RowShape['targetClasses']) => {
    test.write(many('2026-11-15', 20))
    const lines = Array.from({ length: 20 }, (_, i) => {
      const id = many('2026-11-15', 20)[i]?.id
      return `${JSON.stringify({ v: 1, id, time: '2026-11-16T10:00:00.000Z', label: label(i) })}\n`
    })
    test.raw('2026-11-15', 'labels/py-0123456789abcdef-0001.jsonl', lines.join(''))
    const shape = { target: 'churned', ...(targetClasses === undefined ? {} : { targetClasses }) }
    return test.log.rows(WEEK, shape).open({ cwd: '/', expected: ['churned'] }, async (source) => {
      const column = source.columns.find(({ name }) => name === 'churned')
      const rows =
        column && (await source.duck.rows(`SELECT DISTINCT ${column.sql} FROM ${source.relation} ORDER BY 1`))
      return { values: rows?.map(([value]) => value), notes: source.notes, isSeen: source.keys?.has('churned') }
    })
  }

  it('are Yes and No where they come as 1 and 0, as true and false, or as yes and no', async () => {
    const found = await read((i) => i % 2, ['No', 'Yes'])
    assert.deepEqual(found.values, ['No', 'Yes'])
    assert.match(found.notes.join(), /the labels of churned are read as its classes: 0 as No, 1 as Yes/)
    test.remove()
    test = testLog()
    assert.deepEqual((await read((i) => i % 2 === 1, ['No', 'Yes'])).values, ['No', 'Yes'])
    test.remove()
    test = testLog()
    const spelled = await read((i) => (i % 2 === 1 ? 'yes' : 'no'), ['No', 'Yes'])
    assert.deepEqual([spelled.values, spelled.notes], [['No', 'Yes'], []])
  })

  it('are left out, with the reason, where no class can be told from them', async () => {
    const found = await read((i) => i % 2, ['stayed', 'left'])
    assert.equal(found.isSeen, false)
    assert.match(
      found.notes.join(),
      /churned was left out: its labels are "0", "1", in the baseline it is one of "stayed", "left"/,
    )
    test.remove()
    test = testLog()
    assert.match(
      (await read(() => 'maybe', 'numbers')).notes.join(),
      /its labels are "maybe", in the baseline it is a number/,
    )
  })

  it('stay what they are beside known ones: a new class is news', async () => {
    assert.deepEqual((await read((i) => ['Yes', 'No', 'maybe'][i % 3], ['No', 'Yes'])).values, ['No', 'Yes', 'maybe'])
  })

  it('are never guessed: of three classes none is the positive one', () => {
    assert.equal(classReader(['yes', 'no', 'maybe'])('1'), undefined)
    assert.equal(classReader(['yes', 'no', 'maybe'])('YES'), 'yes')
    assert.equal(classReader(['0', '1'])('Yes'), '1')
    assert.equal(classReader(['0', '1'])('1.0'), '1')
    assert.equal(classReader(['Yes', 'yes'])('YES'), undefined)
  })
})
