/** Errors in our form: what happened, why, the next command to type. */
import assert from 'node:assert/strict'
import { failed, notFound } from '../../../src/core/errors.ts'
import { commandElsewhere, flagElsewhere } from '../../../src/ui/elsewhere.ts'
import { toJson } from '../../../src/ui/envelope.ts'
import { explain, renderFailure, unknownFlags } from '../../../src/ui/errors.ts'
import { forgottenDashes } from '../../../src/ui/forgotten-dashes.ts'
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

describe('A flag that is not there', () => {
  const hintOf = (typed: string, ...flags: string[]) => unknownFlags([typed], { command: 'run list', flags }).hint

  it('is one of ours, misspelt', () => {
    assert.equal(hintOf('--wehre', 'where', 'yes'), 'Did you mean --where?')
    assert.equal(hintOf('--sor', 'where', 'sort'), 'Did you mean --sort?')
  })

  it('leads nobody to one that acts, nor to one that shares no more than its dashes', () => {
    for (const typed of ['--yess', '--yse', '--bess', '--forc'])
      assert.equal(hintOf(typed, 'yes', 'force'), 'See mlops run list --help', typed)
    assert.equal(hintOf('--stage', 'store', 'to'), 'See mlops run list --help')
  })

  it('is one of another tool, where ours has the like', () => {
    assert.equal(hintOf('--filter', 'where'), 'Write for example --where "auc > 0.8"')
    assert.equal(hintOf('--status', 'where', 'store'), 'Write for example --where "status = failed"')
    assert.equal(hintOf('-n', 'limit'), 'Write --limit N')
    assert.equal(hintOf('--order-by', 'sort'), 'Write --sort FIELD')
    assert.equal(hintOf('--best', 'sort', 'yes'), 'Write --sort METRIC')
    assert.equal(hintOf('--filter', 'to'), 'See mlops run list --help')
    assert.equal(flagElsewhere('--constructor', ['where']), undefined)
    assert.equal(commandElsewhere(['run', 'constructor'], ['run list']), undefined)
  })
})

describe('A command without its dashes', () => {
  const flags = { model: { type: 'option', char: 'm' }, quiet: { type: 'boolean', char: 'q' } }
  const hint = (...argv: string[]) => forgottenDashes('track', argv, flags)?.hint

  it('is shown with them, our flags before and its own behind', () => {
    assert.equal(hint('python', 'train.py', '--trees', '10'), 'mlops track -- python train.py --trees 10')
    assert.equal(hint('-q', '--model', 'a', 'sh', 'a b.sh'), "mlops track -q --model a -- sh 'a b.sh'")
    assert.equal(hint('--model=a', 'sh'), 'mlops track --model=a -- sh')
    assert.equal(hint('python train.py --trees 10'), 'mlops track -- python train.py --trees 10')
  })

  it('is nothing where no word could begin it', () => {
    assert.equal(hint('--model', 'a'), undefined)
    assert.equal(hint(), undefined)
    assert.equal(hint('--model'), undefined)
  })
})

describe('JSON', () => {
  it('carries numbers that JSON cannot hold as strings', () => {
    const value = { a: Number.NaN, b: [Number.POSITIVE_INFINITY, -1.5], c: 2n ** 60n }
    assert.equal(toJson(value, false), '{"a":"NaN","b":["Infinity",-1.5],"c":"1152921504606846976"}')
  })
})
