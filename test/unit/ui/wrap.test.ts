/** Prose at the width of a terminal. */
import assert from 'node:assert/strict'
import { failed } from '../../../src/core/errors.ts'
import { displayWidth } from '../../../src/ui/clean.ts'
import { explain, renderFailure } from '../../../src/ui/errors.ts'
import { createStyle } from '../../../src/ui/style.ts'
import { createUi } from '../../../src/ui/ui.ts'
import { wrap } from '../../../src/ui/wrap.ts'

const color = createStyle({ color: true, unicode: true })
const plain = createStyle({ color: false, unicode: true })

describe('Prose', () => {
  it('is broken between words, with what is added indented', () => {
    assert.equal(wrap('one two three four', 9, 2), 'one two\n  three\n  four')
    assert.equal(wrap('  • one two', 8, 4), '  • one\n    two')
  })

  it('that fits exactly stays one line', () => {
    assert.equal(wrap('one two', 7, 2), 'one two')
    assert.equal(wrap('one two', 6, 2), 'one\n  two')
  })

  it('is not broken where there is no terminal', () => {
    const long = 'word '.repeat(100)
    assert.equal(wrap(long, Number.POSITIVE_INFINITY, 2), long)
  })

  it('keeps words that are longer than a line, and lines that were there', () => {
    assert.equal(wrap('see /a/very/long/path now', 8, 0), 'see\n/a/very/long/path\nnow')
    assert.equal(wrap('a b\n\nc', 80, 2), 'a b\n\nc')
  })

  it('counts columns, not characters: colours have none, 漢 has two', () => {
    assert.equal(wrap(color.bad('one two'), 7, 0), color.bad('one two'))
    assert.equal(wrap('漢漢 漢', 6, 0), '漢漢\n漢')
  })

  it('of a view goes through its terminal', () => {
    const ui = createUi({ style: plain, width: 10, now: new Date(0), quiet: false })
    assert.equal(ui.wrap('one two three', 1), 'one two\n three')
  })

  it('keeps a command whole, so that it can be copied', () => {
    const broken = (text: string) => wrap(text, 30, 2)
    assert.equal(
      broken('→ It is gone. See all damage: mlops store verify --store /a'),
      '→ It is gone. See all damage:\n  mlops store verify --store /a',
    )
    assert.equal(
      broken('Do it: mlops retrain churn-model --reason "x; y. Z", or leave it'),
      'Do it:\n  mlops retrain churn-model --reason "x; y. Z",\n  or leave it',
    )
    assert.equal(
      broken(`to share them: ${color.command("git push origin a 'b c'")} now and then`),
      `to share them:\n  ${color.command("git push origin a 'b c'")} now\n  and then`,
    )
    assert.equal(
      broken(`To read it there: ${color.command('mlops model import a-file.tar.gz')}`),
      `To read it there:\n  ${color.command('mlops model import a-file.tar.gz')}`,
    )
    assert.equal(
      broken('(in a container: docker run --user 1000), or: ls -l /some/where'),
      '(in a container:\n  docker run --user 1000), or:\n  ls -l /some/where',
    )
  })

  it('takes mlops.yaml, or git in a sentence, for no command', () => {
    assert.equal(
      wrap('one line of mlops.yaml that git ignores', 20, 2),
      'one line of\n  mlops.yaml that\n  git ignores',
    )
  })
})

describe('An error on a narrow terminal', () => {
  const details = { problems: ['mlops.yaml:3: a problem that takes more than one line of this terminal to be told'] }
  const message = 'A sentence that is longer than forty columns.\nAnd one more that is longer than forty columns, too.'
  const hint = 'mlops register churn-model --run @last --target churned --stage staging'
  const lines = renderFailure(
    explain(failed({ code: 'X', message, hint, details }), { command: '', flags: [] }),
    plain,
    false,
    40,
  )

  it('breaks message and problems between words', () => {
    assert.deepEqual(lines.split('\n').slice(0, -1), [
      '✖ A sentence that is longer than forty',
      '  columns.',
      '  And one more that is longer than forty',
      '  columns, too.',
      '  • mlops.yaml:3: a problem that takes',
      '    more than one line of this terminal',
      '    to be told',
    ])
    for (const line of lines.split('\n').slice(0, -1)) assert.ok(displayWidth(line) <= 40, line)
  })

  it('leaves what is to be copied in one piece', () => {
    assert.equal(lines.split('\n').at(-1), `  → ${hint}`)
  })
})
