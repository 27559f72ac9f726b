/** From words to a command: dispatch without oclif's configuration, and the flags read before parsing. */
import assert from 'node:assert/strict'
import { baseFlags } from '../../../src/ui/base-flags.ts'
import { type CommandEntry, unknownCommand } from '../../../src/ui/main.ts'
import { BASE_FLAGS, peekBaseFlags } from '../../../src/ui/peek-flags.ts'

const entry = (hidden = false): CommandEntry => ({ hidden, summary: '', load: async () => ({}) })
const commands = {
  status: entry(),
  'model:list': entry(),
  'model:show': entry(),
  promote: entry(),
  secret: entry(true),
}
const hintFor = (...words: string[]) => unknownCommand({ commands }, words).hint

describe('An unknown command', () => {
  it('is answered with the nearest one', () => {
    assert.equal(hintFor('statsu'), 'Did you mean mlops status?')
    assert.equal(hintFor('model', 'lsit'), 'Did you mean mlops model list?')
    assert.equal(hintFor('modle', 'list'), 'Did you mean mlops model list?')
    assert.equal(hintFor('promot', 'churn-model', '--to', 'x'), 'Did you mean mlops promote?')
  })

  it('is sent to --help when nothing is near, and never to a hidden command', () => {
    assert.equal(hintFor('xyzzyxyzzy'), 'See mlops --help')
    assert.equal(hintFor('secre'), 'See mlops --help')
  })

  it('of another tool is answered with ours', () => {
    const ours = ['run:list', 'run:show', 'run:compare', 'run:delete', 'run:reproduce', 'track', 'store:gc']
    const all = Object.fromEntries(ours.map((id) => [id, entry()]))
    const hint = (...words: string[]) => unknownCommand({ commands: all }, words).hint
    assert.equal(hint('run', 'logs', '@last'), 'Write mlops run show RUN --follow')
    assert.equal(hint('run', 'diff'), 'Write mlops run compare RUN RUN')
    assert.equal(hint('runs', 'rm', '01AB'), 'Write mlops run delete RUN')
    assert.equal(hint('run', 'export'), 'Write mlops run list --csv')
    assert.equal(hint('compare', '@last'), 'Write mlops run compare RUN RUN')
    assert.equal(hint('ls'), 'Write mlops run list')
    assert.match(hint('run', 'kill') ?? '', /Ctrl-C/)
    // Only what is there.
    assert.equal(hint('purge'), 'See mlops --help')
  })

  it('is named as it was typed', () => {
    assert.match(unknownCommand({ commands }, ['model', 'lsit']).message, /"model lsit"/)
    assert.match(unknownCommand({ commands }, ['promot', 'churn-model']).message, /"promot"/)
    assert.match(unknownCommand({ commands }, ['']).message, /""/)
  })
})

describe('The flags read before parsing', () => {
  it('come from the words and from the environment', () => {
    assert.equal(peekBaseFlags(['model', 'list', '--json'], {}).json, true)
    assert.equal(peekBaseFlags([], { MLOPS_JSON: '1' }).json, true)
    assert.equal(peekBaseFlags([], { MLOPS_JSON: '0' }).json, false)
  })

  it('are not taken from the command that follows --', () => {
    assert.equal(peekBaseFlags(['track', '--', 'tool', '--json'], {}).json, false)
  })

  it('are those of every command', () => {
    const declared = Object.entries(baseFlags).flatMap(([name, flag]) =>
      [`--${name}`, ...(flag.char === undefined ? [] : [`-${flag.char}`])].map((word) => [
        word,
        flag.type === 'option',
      ]),
    )
    const known = Object.entries(BASE_FLAGS).map(([word, { hasValue }]) => [word, hasValue])
    assert.deepEqual(Object.fromEntries(known), Object.fromEntries(declared))
  })
})
