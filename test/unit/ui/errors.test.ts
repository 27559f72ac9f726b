/** Errors in our form: what happened, why, the next command to type. */
import assert from 'node:assert/strict'
import { failed, notFound } from '../../../src/core/errors.ts'
import { toJson } from '../../../src/ui/envelope.ts'
import { explain, renderFailure } from '../../../src/ui/errors.ts'
import { createStyle } from '../../../src/ui/style.ts'

const CONTEXT = { command: 'model list', flags: ['json', 'limit'] }
const WIDE = Number.POSITIVE_INFINITY
const plain = createStyle({ color: false, unicode: false })

describe('An error', () => {
  it('says what happened and what to type next', () => {
    const failure = explain(
      notFound({ code: 'MODEL_NOT_FOUND', message: 'No model x.', hint: 'See mlops model list' }),
      CONTEXT,
    )
    assert.equal(failure.exitCode, 4)
    assert.equal(renderFailure(failure, plain, false, WIDE), 'x No model x.\n  -> See mlops model list')
  })

  it('lists every configuration problem below the message', () => {
    const details = { problems: ['mlops.yaml:3: unknown key', 'mlops.yaml:9: not a number'] }
    const text = renderFailure(explain(failed({ code: 'X', message: 'Wrong.', details }), CONTEXT), plain, false, WIDE)
    assert.deepEqual(text.split('\n').slice(1), ['  * mlops.yaml:3: unknown key', '  * mlops.yaml:9: not a number'])
  })

  it('cannot steer the terminal with what it quotes', () => {
    const text = renderFailure(explain(failed({ code: 'X', message: 'No \u001b[2J.' }), CONTEXT), plain, false, WIDE)
    assert.ok(text.includes('\\x1b[2J'))
  })

  it('of ours is called a bug, with the stack under --debug alone', () => {
    const failure = explain(new TypeError('x is not a function'), CONTEXT)
    assert.deepEqual([failure.exitCode, failure.error.code, failure.isBug], [1, 'BUG', true])
    assert.ok(!renderFailure(failure, plain, false, WIDE).includes('errors.test'))
    assert.match(renderFailure(failure, plain, true, WIDE), /\n.*at .*errors\.test/s)
  })

  it('is an interruption when a prompt was left with Ctrl-C', () => {
    const left = Object.assign(new Error('User force closed the prompt'), { name: 'ExitPromptError' })
    assert.deepEqual([explain(left, CONTEXT).exitCode, explain(left, CONTEXT).error.code], [130, 'INTERRUPTED'])
  })

  it('survives a thrown thing that is no error', () => {
    assert.match(explain('text', CONTEXT).error.message, /bug of mlops: text/)
    assert.match(explain(undefined, CONTEXT).error.message, /bug of mlops: undefined/)
  })
})

describe('JSON', () => {
  it('carries numbers that JSON cannot hold as strings', () => {
    const value = { a: Number.NaN, b: [Number.POSITIVE_INFINITY, -1.5], c: 2n ** 60n }
    assert.equal(toJson(value, false), '{"a":"NaN","b":["Infinity",-1.5],"c":"1152921504606846976"}')
  })
})
