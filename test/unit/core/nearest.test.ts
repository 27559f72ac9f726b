/** Did you mean …? */
import assert from 'node:assert/strict'
import { nearest } from '../../../src/core/nearest.ts'

describe('Did you mean', () => {
  const stages = ['staging', 'production']

  it('finds what was cut short, as well as what was mistyped', () => {
    assert.equal(nearest('prod', stages), 'production')
    assert.equal(nearest('Stag', stages), 'staging')
    assert.equal(nearest('prodution', stages), 'production')
  })

  it('does not guess between two words that begin alike, nor from one letter', () => {
    assert.equal(nearest('pre', ['preview', 'preprod', 'staging']), undefined)
    assert.equal(nearest('p', ['production', 'staging']), undefined)
    assert.equal(nearest('', stages), undefined)
  })
})
