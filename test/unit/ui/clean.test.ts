/** Text from users never steers the terminal, and columns line up. */
import assert from 'node:assert/strict'
import { cleanOutput, cleanText, displayWidth, truncate } from '../../../src/ui/clean.ts'

describe('User data on its way to the terminal', () => {
  it('loses its control characters visibly', () => {
    assert.equal(cleanText('auc\u001b[31m\u0007\r\nx'), 'auc\\x1b[31m\\x07\\r\\nx')
  })

  it('cannot reverse the reading direction or hide characters', () => {
    assert.equal(cleanText('a\u202eb\u200bc\u2066'), 'a\\u202eb\\u200bc\\u2066')
  })

  it('keeps every printable character, also beyond ASCII', () => {
    const text = 'größe 模型 🚀 ~'
    assert.equal(cleanText(text), text)
    assert.equal(cleanOutput(text, false), text)
  })

  it('keeps our colours when there is colour, and nothing else that begins with ESC', () => {
    assert.equal(
      cleanOutput('\u001b[31mred\u001b[39m\n\u001b]0;title\u0007', true),
      '\u001b[31mred\u001b[39m\n\\x1b]0;title\\x07',
    )
  })

  it('shows even colour sequences as text when there is no colour', () => {
    assert.equal(cleanOutput('\u001b[31mred', false), '\\x1b[31mred')
  })

  it('takes two columns for wide characters and none for combining ones', () => {
    assert.equal(displayWidth('abc'), 3)
    assert.equal(displayWidth('模型'), 4)
    assert.equal(displayWidth('🚀'), 2)
    assert.equal(displayWidth('e\u0301'), 1)
    assert.equal(displayWidth('\u001b[31mred\u001b[39m'), 3)
  })

  it('is cut at a column without splitting a character', () => {
    assert.equal(truncate('模型模型', 5, '…'), '模型…')
    assert.equal(truncate('abcdef', 6, '…'), 'abcdef')
    assert.equal(truncate('abcdefg', 6, '...'), 'abc...')
  })
})
