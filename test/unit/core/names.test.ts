/** Names that become folders, references to versions, did-you-mean, run ids. */
import assert from 'node:assert/strict'
import { MlopsError } from '../../../src/core/errors.ts'
import { assertName, nameProblem, parseModelRef } from '../../../src/core/names.ts'
import { nearest } from '../../../src/core/nearest.ts'
import { isUlid, ulid } from '../../../src/core/ulid.ts'

describe('names', () => {
  it('accepts what every file system keeps apart', () => {
    for (const name of ['a', 'churn-model', 'v2.1_final', '0', 'a'.repeat(64)]) {
      assert.equal(nameProblem(name), undefined, name)
    }
  })

  it('refuses slashes, dots, control characters, device names and upper case, with a reason', () => {
    const bad = ['', '.', '..', 'a/b', 'a\\b', '../x', 'a..b', '.hidden', 'end.', '-x', 'x-', 'con', 'nul.txt', 'com1']
    for (const name of [...bad, 'lpt9', 'Churn', 'a\u0000', 'a\nb', 'a b', 'ä', 'a'.repeat(65), '\u001b[31m']) {
      assert.notEqual(nameProblem(name), undefined, JSON.stringify(name))
    }
  })

  it('suggests the nearest allowed name', () => {
    assert.throws(
      () => assertName('model', 'Churn Model/v2'),
      (error) => error instanceof MlopsError && error.exitCode === 2 && error.hint === 'Use for example churn-model-v2',
    )
  })

  it('parses MODEL, MODEL@3 and MODEL@STAGE', () => {
    assert.deepEqual(parseModelRef('m'), { model: 'm', selector: undefined })
    assert.deepEqual(parseModelRef('m@12'), { model: 'm', selector: { version: 12 } })
    assert.deepEqual(parseModelRef('m@production'), { model: 'm', selector: { stage: 'production' } })
  })

  it('refuses a reference that names no version', () => {
    for (const text of ['m@', 'm@0', 'm@@1', 'm@1@2', 'm@-1', 'm@99999999999999999999']) {
      assert.throws(() => parseModelRef(text), MlopsError, text)
    }
  })
})

describe('did you mean', () => {
  it('finds a name with a letter swapped, missing or added', () => {
    const names = ['promote', 'production', 'churn-model']
    assert.equal(nearest('prmoote', names), 'promote')
    assert.equal(nearest('prodution', names), 'production')
    assert.equal(nearest('churn-modell', names), 'churn-model')
  })

  it('stays silent when nothing is near', () => {
    assert.equal(nearest('xyz', ['promote', 'production']), undefined)
    assert.equal(nearest('', ['a']), undefined)
  })
})

describe('run ids', () => {
  it('sort by time and have 26 characters', () => {
    const early = ulid(1_700_000_000_000)
    const late = ulid(1_700_000_000_001)
    assert.ok(early < late)
    assert.ok(isUlid(early) && isUlid(late))
  })

  it('carry the time in their first ten characters, as in the ULID specification', () => {
    assert.equal(ulid(1469918176385).slice(0, 10), '01ARYZ6S41')
  })
})
