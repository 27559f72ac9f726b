/** Who a name stands for, and what is no name. */
import assert from 'node:assert/strict'
import { personOf, personProblem, shownPerson } from '../../../src/core/person.ts'

describe('the name of a person', () => {
  it('counts once, however it is written', () => {
    const written = [
      'ada',
      'Ada',
      ' ada ',
      '@ada',
      'ada@laptop',
      'ada＠laptop',
      'ａｄａ',
      'a\u200bda',
      'a\u00adda',
      'ada.',
      '\u202eada',
    ]
    assert.deepEqual([...new Set(written.map(personOf))], ['ada'])
    assert.equal(personOf('Ada  Lovelace'), personOf('ada\u00a0lovelace'))
    assert.notEqual(personOf('ada'), personOf('bob'))
  })

  it('holds nothing that cannot be seen, and names somebody', () => {
    for (const name of ['a\u200bda', 'a\u00adda', '\u202eada', 'a\u0007', '\ud800', 'a\u2028b'])
      assert.match(personProblem(name) ?? '', /cannot be seen/, JSON.stringify(name))
    for (const name of ['@', '.', '＠']) assert.equal(personProblem(name), 'it names nobody', name)
    for (const name of ['', ' ', 'a'.repeat(201)]) assert.match(personProblem(name) ?? '', /1 to 200/)
    assert.equal(shownPerson('a\u200bda'), '"a\\u{200b}da"')
  })

  it('is of one alphabet: ada with a Cyrillic а is refused, names of any one alphabet are not', () => {
    assert.match(personProblem('\u0430da') ?? '', /mixes Latin and Cyrillic letters/)
    assert.match(personProblem('b\u03bfb') ?? '', /mixes Latin and Greek letters/)
    for (const name of ['ada', 'Zoë', 'Андрей', 'Αλέξης', '王芳', "Ada O'Neil-Byron", 'ada@laptop', 'ci-bot[7]'])
      assert.equal(personProblem(name), undefined, name)
  })

  it('is no secret', () => {
    const token = `gh${'p_'}${'a'.repeat(36)}`
    assert.match(personProblem(token) ?? '', /looks like a secret/)
    assert.doesNotMatch(shownPerson(token), /aaaa/)
  })
})
