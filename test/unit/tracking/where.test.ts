/** The language of `run list --where`: what people type, and what they mean by it. */
import assert from 'node:assert/strict'
import { isMlopsError, type MlopsError } from '../../../src/core/errors.ts'
import type { RunFacts } from '../../../src/tracking/records/where/fields.ts'
import { Columns, prepareFilter } from '../../../src/tracking/records/where/filter.ts'
import { noNames, noteNames } from '../../../src/tracking/records/where/names.ts'
import { type FactsOf, factsOf, holds, ID, NOW } from './where-facts.ts'

const yes = (filter: string, of: FactsOf = {}): void => assert.equal(holds(filter, factsOf(of)), true, filter)
const no = (filter: string, of: FactsOf = {}): void => assert.equal(holds(filter, factsOf(of)), false, filter)

function problem(
  filter: string,
  runs: readonly RunFacts[] = [factsOf({ metrics: { auc: 0.8 }, params: { depth: 6 } })],
) {
  try {
    const known = noNames()
    for (const each of runs) noteNames(known, each)
    prepareFilter(filter, new Columns(), NOW).settle(known, runs.length)
  } catch (error) {
    if (!isMlopsError(error)) throw error
    assert.equal(error.code, 'FILTER_INVALID')
    return error
  }
  return assert.fail(`${filter} was taken`)
}
const caret = (error: MlopsError): string => error.message.split('\n').slice(1).join('\n')

describe('A filter of runs', () => {
  describe('compares what scripts logged as people mean it', () => {
    it('takes a number for the number and for its text', () => {
      for (const depth of [6, '6', '6.0', ' 6 ']) yes('params.depth = 6', { params: { depth } })
      for (const depth of [7, '7', 'six', true, null]) no('params.depth = 6', { params: { depth } })
      yes('params.lr < 1e-2', { params: { lr: '0.001' } })
      no('params.lr < 1e-2', { params: { lr: 'small' } })
      yes('params.big = 12345678901234567890', { params: { big: '12345678901234567890' } })
      no('params.big = 12345678901234567890', { params: { big: '12345678901234567891' } })
    })

    it('takes quoted text for that text', () => {
      yes('params.v = "1.10"', { params: { v: '1.10' } })
      no('params.v = "1.10"', { params: { v: 1.1 } })
      yes('params.v = "1.1"', { params: { v: 1.1 } })
      yes(`params.name = "it's"`, { params: { name: "it's" } })
      yes('params.name = "say \\"hi\\""', { params: { name: 'say "hi"' } })
      yes('params.dir = "C:\\data\\x"', { params: { dir: 'C:\\data\\x' } })
    })

    it('takes true and false for what Python and JSON write', () => {
      for (const on of [true, 'true', 'True']) yes('params.on = true', { params: { on } })
      for (const on of [false, 'False', 1, null]) no('params.on = true', { params: { on } })
      yes('params.on', { params: { on: true } })
      no('not params.on', { params: { on: 'True' } })
      yes('params.on is false', { params: { on: false } })
    })

    it('keeps what is not finite', () => {
      yes('metrics.loss = nan', { metrics: { loss: 'NaN' } })
      no('metrics.loss = nan', { metrics: { loss: 1 } })
      yes('metrics.loss != nan', { metrics: { loss: 1 } })
      yes('metrics.loss = inf', { metrics: { loss: 'Infinity' } })
      yes('metrics.loss > 1e300', { metrics: { loss: 'Infinity' } })
      yes('metrics.loss < -5', { metrics: { loss: '-Infinity' } })
      for (const op of ['<', '<=', '>', '>=', '=']) no(`metrics.loss ${op} 0.5`, { metrics: { loss: 'NaN' } })
      assert.match(problem('metrics.auc > nan').message, /Nothing is more or less than NaN/)
    })

    it('orders text by its characters, dates among it', () => {
      yes('params.snapshot > 2026-01-01', { params: { snapshot: '2026-02-01' } })
      no('params.snapshot > 2026-03-01', { params: { snapshot: '2026-02-01' } })
    })

    it('finds parts of text in any case', () => {
      yes('params.name ~ FOREST', { params: { name: 'RandomForest' } })
      no('params.name !~ forest', { params: { name: 'RandomForest' } })
      yes('command ~ "python TRAIN"')
      yes('command contains train.py') // an alias of ~ on text
    })

    it('compares two names', () => {
      const of = { metrics: { train_auc: 0.9, val_auc: 0.8 }, params: { a: 1, b: '1' } }
      yes('metrics.train_auc > metrics.val_auc', of)
      no('metrics.train_auc <= metrics.val_auc', of)
      yes('params.a = params.b', of)
      no('metrics.train_auc > metrics.gone', of)
    })
  })

  describe('says of what is missing that nothing holds', () => {
    it('in either direction', () => {
      for (const op of ['=', '!=', '<', '<=', '>', '>=', '~', '!~']) no(`params.gone ${op} 6`, { params: { depth: 6 } })
      no('params.gone in (6, 7)')
      no('params.gone not in (6, 7)')
      yes('not params.gone = 6')
    })

    it('but that it is none', () => {
      yes('params.gone = none')
      yes('params.gone is null')
      no('params.gone != none')
      yes('params.depth != none', { params: { depth: 6 } })
      yes('params.depth is not none', { params: { depth: 6 } })
      yes('params.x = none', { params: { x: null } })
      yes('params.x = none', { params: { x: 'None' } })
      no('params.x = "none"', { params: { x: null } })
      yes('params.x = "none"', { params: { x: 'none' } })
      yes('params.x in (1, none)')
      no('params.x not in (1, none)')
      yes('model = none')
      yes('tags = none')
      no('tags = none', { tags: ['a'] })
    })
  })

  describe('reads facts of the run by their kind', () => {
    it('times: a date is the whole day', () => {
      const at = (started: string): FactsOf => ({ start: { started } })
      yes('started = 2026-11-20', at('2026-11-20T23:59:59.999Z'))
      no('started = 2026-11-20', at('2026-11-21T00:00:00.000Z'))
      yes('started >= 2026-11-20', at('2026-11-20T00:00:00.000Z'))
      no('started > 2026-11-20', at('2026-11-20T23:00:00.000Z'))
      yes('started > 2026-11-20', at('2026-11-21T00:00:00.000Z'))
      yes('started <= 2026-11-20', at('2026-11-20T23:00:00.000Z'))
      no('started < 2026-11-20', at('2026-11-20T00:00:00.000Z'))
      yes('started = 2026-11', at('2026-11-30T23:59:59.000Z'))
      yes('started = 2026-11-20T12:00', at('2026-11-20T12:00:59.000Z'))
      yes('started = "2026-11-20 12:00"', at('2026-11-20T12:00:59.000Z'))
      yes('started >= 2026-11-20T14:00+02:00', at('2026-11-20T12:00:00.000Z'))
      yes('started = yesterday', at('2026-11-20T12:00:00.000Z'))
      yes('started >= today', at('2026-11-21T00:00:00.000Z'))
      assert.match(problem('started > 2026-02-30').message, /started is a time/)
    })

    it('times: a length of time is the instant so long ago', () => {
      for (const week of ['7d', '1w', '7 days', '"7d ago"', '7d ago', '-7d', '168h']) {
        yes(`started > ${week}`, { start: { started: '2026-11-14T12:00:01.000Z' } })
        no(`started > ${week}`, { start: { started: '2026-11-14T11:59:59.000Z' } })
      }
      yes('age < 7d', { start: { started: '2026-11-14T12:00:01.000Z' } })
      no('age < 7d', { start: { started: '2026-11-14T11:59:59.000Z' } })
      no('ended > 1d', { end: null })
    })

    it('lengths of time and sizes', () => {
      yes('duration > 10m', { duration: 601 })
      no('duration > 10 min', { duration: 600 })
      yes('took >= 600', { duration: 600 })
      yes('duration = 1h30m', { duration: 5400 })
      no('duration > 0', { duration: null })
      const of = { end: { resources: { maxRssBytes: 2e9, cpuSeconds: 90 } } }
      yes('memory >= 2GB', of)
      no('memory >= 2GiB', of)
      yes('cpu > 1m', of)
    })

    it('commits and ids by their beginning', () => {
      const git = { commit: 'abcdef0123456789abcdef0123456789abcdef01', branch: 'main', remote: null, dirty: false }
      yes('git.commit = abcdef01', { start: { git } })
      yes('commit = ABCDEF', { start: { git } })
      no('git.commit = bcdef', { start: { git } })
      no('git.commit != abcdef', { start: { git } })
      yes('git.dirty = false and branch = main', { start: { git } })
      yes('not dirty', { start: { git } })
      yes('not git.dirty')
      no('git.dirty = false')
      yes(`run = ${ID.slice(0, 6).toLowerCase()}`)
      yes(`id in (x, ${ID})`)
    })

    it('releases by their parts', () => {
      const of = { start: { python: { executable: 'python', version: '3.11.4' } } }
      for (const filter of ['= 3.11', '>= 3.9', '< 3.12', '!= 3.1', '<= 3.11', '= 3.11.4'])
        yes(`python.version ${filter}`, of)
      for (const filter of ['> 3.11', '= 3.1', '< 3.9', '= 3.11.5']) no(`python ${filter}`, of)
    })

    it('tags and notes as lists, with what was said later', () => {
      const actor = { name: 'ada', origin: 'local' } as const
      const heading = { format: 1, id: ID, run: ID, actor, time: '2026-11-21T00:00:00.000Z' } as const
      const of: FactsOf = {
        tags: ['candidate', 'draft'],
        said: [
          { ...heading, kind: 'tags', add: ['gold'], remove: ['draft'] },
          { ...heading, kind: 'note', text: 'Better on small customers' },
        ],
      }
      for (const filter of ['tags has gold', 'tag = candidate', 'tags ~ CAND', 'not tags has draft', 'tags != draft'])
        yes(filter, of)
      for (const filter of ['tags has draft', 'tags != gold', 'tags not has gold', 'tags has Gold']) no(filter, of)
      yes('tags in (silver, gold)', of)
      yes('note ~ "SMALL customers"', of)
      yes('tags != gold')
    })

    it('data, environment, words', () => {
      const data = [
        { name: 'train.csv', path: 'data/train.csv', kind: 'file', sha256: 'ab12cd', size: 5e6, rows: 100 },
      ] as const
      yes('data.train.csv.rows >= 100 and data.train.csv.size < 10MB', { start: { data } })
      yes('data.train.csv.sha256 = AB12 and data has train.csv', { start: { data } })
      no('data.test.rows > 0', { start: { data } })
      yes('env.CUDA_VISIBLE_DEVICES = 0', { start: { env: { CUDA_VISIBLE_DEVICES: '0' } } })
      yes('STATUS = Failed', { status: 'failed' })
      yes('status in (failed, interrupted)', { status: 'interrupted' })
      yes('exit != 0 and signal = none', { end: { exit: 3 } })
    })
  })

  describe('has a grammar that is guessed', () => {
    const of = { metrics: { a: 1, b: 0 } }
    it('binds not before and before or', () => {
      yes('a = 1 or a = 2 and b = 1', of)
      no('(a = 1 or a = 2) and b = 1', of)
      no('not a = 1 or b = 1', of)
      yes('not (a = 2 or b = 1)', of)
      yes('NOT a = 2 AND NOT b = 1', of)
    })

    it('takes the signs of other languages', () => {
      for (const filter of [
        'a == 1',
        'a <> 2',
        'a=1&&b=0',
        'a = 2 || b = 0',
        '!(a = 2)',
        '1 = a',
        '0.5 < a',
        'a not in (2,3,)',
      ])
        yes(filter, of)
    })

    it('finds a name alone as a field, else a metric, else a parameter', () => {
      yes('auc > 0.5 and depth = 6', { metrics: { auc: 0.8 }, params: { depth: 6 } })
      yes('seed = 1', { start: { seed: 1 }, metrics: { seed: 2 } })
      yes('metrics.seed = 2', { start: { seed: 1 }, metrics: { seed: 2 } })
      // A metric of one run is a metric for all: not the parameter of another.
      assert.equal(holds('x = 1', factsOf({ params: { x: 1 } }), [factsOf({ metrics: { x: 5 } })]), false)
      yes('metrics.constructor = none and metrics.__proto__ = none')
    })

    it('takes odd names in quotes, most also without', () => {
      const odd = { metrics: { 'val auc': 1, 'val/auc': 1, 'f1@0.5': 1, 'a=b': 1, größe: 1 } }
      for (const filter of [
        'metrics."val auc" = 1',
        '"val auc" = 1',
        'val/auc = 1',
        "metrics.'a=b' = 1",
        'f1@0.5 = 1',
        'größe = 1',
      ])
        yes(filter, odd)
    })
  })

  describe('says what is wrong, and where', () => {
    const cases: readonly (readonly [string, RegExp, string, RegExp])[] = [
      ['', /The filter is empty/, '^', /docs\/runs\.md/],
      ['metrics.auc >', /a value was expected/, '             ^', /number/],
      ['(auc > 1', /never closed/, '^', /\)/],
      ['auc > 1)', /closes no bracket/, '       ^', /Take it away/],
      ['acu > 1', /No run has a metric or a parameter acu/, '^^^', /Did you mean auc/],
      ['git.drty = true', /no field git\.drty/, '^^^^^^^^', /git\.dirty/],
      ['status = finishd', /never "finishd"/, '         ^^^^^^^', /finished/],
      ['auc > "open', /never closed/, '      ^', /"/],
      ['auc => 1', /=> is no operator/, '    ^^', />=/],
      ['auc like 1', /like is no operator/, '    ^^^^', /~/],
      ['auc > 1 depth = 6', /Here "and", "or" or the end/, '        ^^^^^', /Join/],
      ['command ~ python train.py', /Here "and", "or" or the end/, '                 ^^^^^^^^', /"python train\.py"/],
      ['0.5 < auc < 0.8', /two sides/, '          ^', /twice/],
      ['auc & depth', /& says nothing/, '    ^', /and/],
      ['auc', /alone says nothing/, '^^^', /!= none/],
      ['5 > 6', /One side of a comparison is a name/, '^', /quote/],
      ['duration > soon', /duration is a length of time/, '           ^^^^', /10m/],
      ['model > a', /model has no order/, '      ^', /~/],
      ['tags > a', /tags is a list/, '     ^', /has/],
      ['model has a', /model is no list/, '      ^^^', /~/],
      ['data.train.row > 1', /names no fact of data/, '^^^^^^^^^^^^^^', /data\.train\.rows/],
      ['depth in 6', /a list in brackets/, '         ^', /in \(1, 2, 3\)/],
      ['depth in (6', /comma or \)/, '           ^', /in \(/],
      ['params. = 1', /comes a name/, '^^^^^^^', /params\.depth/],
      ['auc > none', /no order/, '      ^^^^', /none/],
      ['auc > 70%', /compared with a number/, '      ^^^', /^Write 0\.7, or 70 /],
      ['auc > @best:auc', /compared with a number/, '      ^^^^^^^^^', /run show @best:auc; .*--sort auc/],
      ['metrics.auc <= train', /compared with a number/, '               ^^^^^', /metrics\.auc > metrics\.NAME/],
      ['auc > 0,85', /or the end/, '       ^', /^Write 0\.85:/],
      ['model: credit', /A colon/, '     ^', /^Write model = credit$/],
      ['model:credit', /A colon/, '     ^', /^Write model = credit$/],
    ]
    for (const [filter, message, marks, hint] of cases) {
      it(`in ${JSON.stringify(filter)}`, () => {
        const error = problem(filter)
        assert.match(error.message, message)
        assert.equal(caret(error), `  ${filter}\n  ${marks}`)
        assert.match(error.hint ?? '', hint)
      })
    }

    it('shows a window of a long filter, and counts columns from its beginning', () => {
      const error = problem(`${'auc > 0 and '.repeat(50)}acu > 1${' or auc > 0'.repeat(50)}`)
      const [, excerpt = '', marks = ''] = error.message.split('\n')
      assert.equal(excerpt.slice(marks.indexOf('^'), marks.length), 'acu')
      assert.ok(excerpt.length < 80)
      assert.equal(error.details?.column, 601)
    })

    it('puts the caret right where line ends and wide letters stand before it', () => {
      assert.equal(caret(problem('auc > 1\nand acu > 1')), '  auc > 1 and acu > 1\n              ^^^')
      assert.equal(caret(problem('"精度" = 1', [factsOf({ metrics: { auc: 1 } })])), '  "精度" = 1\n  ^^^^^^')
    })

    it('warns of names that no run has, where their kind was said', () => {
      const known = noNames()
      noteNames(known, factsOf({ metrics: { auc: 1 }, params: { depth: 1 } }))
      const warnings = (filter: string) => prepareFilter(filter, new Columns(), NOW).settle(known, 1).warnings
      assert.deepEqual(warnings('metrics.acu > 0 and params.auc = 1 and data.x.rows > 1'), [
        'No run has a metric acu; did you mean metrics.auc?',
        'No run has a parameter auc; there is metrics.auc',
        'No run has declared data x',
      ])
      assert.deepEqual(warnings('auc > 0 and params.depth = none'), [])
    })

    it('takes any name where there is no run yet', () => {
      assert.deepEqual(prepareFilter('auc > 0', new Columns(), NOW).settle(noNames(), 0).warnings, [])
    })
  })

  describe('never breaks', () => {
    const words =
      'auc depth status metrics. params.x data.a.rows tags and or not in has is contains ago ( ) , = != < <= > >= ~ !~ ! && || & | " \' none nan 1 -2.5 1e9 7d 2026-11-01 finished git.dirty \\ . .. @ \u0000 \ud800 精 \u202e 🙂 \n'.split(
        ' ',
      )

    it('on any text', () => {
      const random = generator(7)
      for (let round = 0; round < 20_000; round++) {
        const parts = Array.from(
          { length: Math.floor(random() * 12) },
          () => words[Math.floor(random() * words.length)],
        )
        tried(parts.join(random() < 0.7 ? ' ' : ''))
      }
      for (let round = 0; round < 5_000; round++) {
        tried(
          String.fromCharCode(...Array.from({ length: Math.floor(random() * 30) }, () => Math.floor(random() * 0x300))),
        )
      }
    })

    it('on what is far too deep or long', () => {
      tried('('.repeat(100_000))
      tried(`${'('.repeat(9_000)}auc > 1${')'.repeat(9_000)}`)
      tried('not '.repeat(4_000))
      tried(`${'not '.repeat(4_000)}auc > 1`)
      tried(`auc in (${'1,'.repeat(9_000)}1)`)
      tried(`auc > 1${' or auc > 1'.repeat(1_500)}`)
      tried('"'.repeat(20_000))
    })
  })
})

function tried(filter: string): void {
  const facts = factsOf({ metrics: { auc: 0.8 }, params: { depth: 6, x: 'text' }, tags: ['a'] })
  try {
    assert.equal(typeof holds(filter, facts), 'boolean')
  } catch (error) {
    if (!isMlopsError(error) || error.code !== 'FILTER_INVALID') {
      assert.fail(`${JSON.stringify(filter)}: ${error instanceof Error ? error.stack : String(error)}`)
    }
    assert.ok(Number(error.details?.column) >= 1)
  }
}

/** Numbers from 0 to 1, the same in every run of the test. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}
