/** Filters against a second evaluator, in Python, on random runs and random filters. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { ParamValue } from '../../../src/store/run-records.ts'
import type { RunStatus } from '../../../src/tracking/records/status.ts'
import type { RunFacts } from '../../../src/tracking/records/where/fields.ts'
import { needsPython, PYTHON } from '../../support/python.ts'
import { ROOT } from './support.ts'
import { factsOf, holds, NOW } from './where-facts.ts'

type Word = readonly [text: string, quoted: boolean]
type Tree =
  | readonly ['or' | 'and', ...Tree[]]
  | readonly ['not', Tree]
  | readonly ['is', field: string, operator: string, words: readonly Word[]]

const CASES = 4_000
const REFERENCE = join(ROOT, 'test/python/filter_reference.py')

describe('Filters and a second evaluator', () => {
  it(`agree on ${CASES} random filters of random runs`, function () {
    needsPython(this)
    const random = new Random(20_261_121)
    const cases = Array.from({ length: CASES }, () => {
      const run = randomRun(random)
      const tree = randomTree(random, 3)
      return { run, tree, filter: written(random, tree, true) }
    })
    const plain = cases.map(({ run, tree }) => ({ run: plainOf(run), tree }))
    const input = JSON.stringify({ now: NOW / 1000, cases: plain })
    const { stdout, stderr, status } = spawnSync(PYTHON, [REFERENCE], { input, encoding: 'utf8', maxBuffer: 1e8 })
    assert.equal(status, 0, stderr)
    const expected = JSON.parse(stdout) as boolean[]
    const share = expected.filter((each) => each).length / CASES
    assert.ok(share > 0.2 && share < 0.8, `filters that say something: ${share}`)
    for (const [at, { run, filter }] of cases.entries()) {
      assert.equal(holds(filter, run), expected[at], `${filter}\n${JSON.stringify(plain[at]?.run)}`)
    }
  })
})

const VALUES: readonly ParamValue[] = [
  ...[
    6,
    7,
    0.5,
    -1,
    0,
    1e-3,
    '6',
    '6.0',
    ' 7',
    '1e-3',
    'six',
    'Six',
    'none',
    'None',
    '',
    'true',
    'False',
    'NaN',
    '-inf',
  ],
  ...[true, false, null, '2026-01-02'],
]
const LITERALS: readonly Word[] = [
  ...['6', '7', '0.5', '-1', '0', '1e-3', '.5', '6.0', 'six', 'none', 'None', 'true', 'FALSE', 'inf', '2026-01-01'].map(
    (text): Word => [text, false],
  ),
  ...['6', '6.0', 'six', 'none', '', 'true', 'a b'].map((text): Word => [text, true]),
]
const COMMITS = ['ab12cd34', 'ab99', 'ff00'].map((each) => each.padEnd(40, '0'))
const STATUSES: readonly RunStatus[] = ['running', 'finished', 'failed', 'interrupted']
const TIMES = [
  '2026-11-21T11:59:00.000Z',
  '2026-11-20T00:00:00.000Z',
  '2026-11-20T23:59:59.999Z',
  '2026-10-31T12:00:30.000Z',
]

const FIELDS: Readonly<Record<string, { readonly operators: readonly string[]; readonly words: readonly Word[] }>> = {
  'params.a': { operators: ['=', '!=', '<', '<=', '>', '>=', '~', '!~', 'in', 'not in'], words: LITERALS },
  'metrics.b': { operators: ['=', '!=', '<', '<=', '>', '>=', 'in', 'not in'], words: LITERALS },
  tags: {
    operators: ['=', '!=', 'has', 'not has', '~', '!~', 'in', 'not in'],
    words: [
      ['x', false],
      ['y', true],
      ['X', false],
    ],
  },
  status: { operators: ['=', '!=', 'in', 'not in'], words: STATUSES.map((each): Word => [each, false]) },
  started: {
    operators: ['=', '!=', '<', '<=', '>', '>='],
    words: ['2026-11-20', '2026-11', '2026-10-31T12:00', '1h', '36h', '1m', '30d', 'none'].map(
      (each): Word => [each, false],
    ),
  },
  duration: {
    operators: ['=', '!=', '<', '<=', '>', '>='],
    words: ['10m', '600', '1h30m', '90s', 'none'].map((each): Word => [each, false]),
  },
  'git.commit': {
    operators: ['=', '!=', 'in'],
    words: ['ab', 'AB12', 'ff00', 'none'].map((each): Word => [each, false]),
  },
  'git.dirty': { operators: ['=', '!='], words: ['true', 'false', 'yes', 'none'].map((each): Word => [each, false]) },
}

function randomRun(random: Random): RunFacts {
  const maybe = <V>(values: readonly V[]): V | undefined => (random.next() < 0.2 ? undefined : random.of(values))
  const [a, b, commit] = [maybe(VALUES), maybe([0.5, 6, 0, -1, 'NaN', 'Infinity', '-Infinity']), maybe(COMMITS)]
  return factsOf({
    params: a === undefined ? {} : { a },
    metrics: b === undefined ? {} : { b },
    tags: ['x', 'y', 'Xylophone'].filter(() => random.next() < 0.4),
    status: random.of(STATUSES),
    duration: maybe([0, 90, 600, 5400, 1e6]) ?? null,
    start: {
      started: random.of(TIMES),
      ...(commit === undefined ? {} : { git: { commit, branch: null, remote: null, dirty: random.next() < 0.5 } }),
    },
  })
}

const plainOf = ({ row, start }: RunFacts): Record<string, unknown> => ({
  'params.a': row.params.a ?? null,
  'metrics.b': row.metrics.b ?? null,
  tags: row.tags,
  status: row.status,
  started: start.started,
  duration: row.duration,
  'git.commit': start.git?.commit ?? null,
  'git.dirty': start.git?.dirty ?? null,
})

function randomTree(random: Random, depth: number): Tree {
  const dice = depth === 0 ? 1 : random.next()
  if (dice < 0.15) return ['not', randomTree(random, depth - 1)]
  if (dice < 0.6) {
    const parts = Array.from({ length: 2 + random.below(2) }, () => randomTree(random, depth - 1))
    return [dice < 0.4 ? 'and' : 'or', ...parts]
  }
  const field = random.of(Object.keys(FIELDS))
  const { operators = [], words = [] } = FIELDS[field] ?? {}
  const operator = random.of(operators)
  const count = operator.endsWith('in') ? 1 + random.below(3) : 1
  const chosen = Array.from({ length: count }, () => random.of(words))
  const isNone = chosen.some(([text, quoted]) => !quoted && text.toLowerCase() === 'none')
  const isText =
    field === 'metrics.b' && chosen.some(([text, quoted]) => quoted || !/^[-.\di]/.test(text) || text.length > 9)
  // What is not there has neither order nor parts, and a metric none with text: that is refused, and tested elsewhere.
  return (isNone || isText) && !/^(?:!?=|(?:not )?in)$/.test(operator)
    ? randomTree(random, depth)
    : ['is', field, operator, chosen]
}

/** As somebody may type it: brackets where they are needed or not, any blanks, any case of the keywords. */
function written(random: Random, tree: Tree, isWhole = false): string {
  const keyword = (word: string): string => (random.next() < 0.2 ? word.toUpperCase() : word)
  if (tree[0] === 'is') return comparison(random, tree[1], tree[2], tree[3])
  if (tree[0] === 'not') {
    const inner = tree[1]
    return `${random.next() < 0.2 ? '!' : `${keyword('not')} `}${inner[0] === 'is' ? written(random, inner) : `(${written(random, inner, true)})`}`
  }
  const [kind, ...parts] = tree as readonly ['or' | 'and', ...Tree[]]
  const joined = parts
    .map((part) => {
      // `and` binds more than `or`: brackets around it within `or` are a matter of taste.
      const isFree =
        part[0] === 'is' || part[0] === 'not' || (kind === 'or' && part[0] === 'and' && random.next() < 0.5)
      return isFree ? written(random, part, true) : `(${written(random, part, true)})`
    })
    .join(random.next() < 0.1 ? (kind === 'or' ? '||' : ' && ') : ` ${keyword(kind)} `)
  return isWhole ? joined : `(${joined})`
}

function comparison(random: Random, field: string, operator: string, words: readonly Word[]): string {
  const shown = words
    .map(([text, quoted]) => (quoted ? `${random.of(['"', "'"])}` : '') + text)
    .map((text) => (/^["']/.test(text) ? `${text}${text[0]}` : text))
  if (operator.endsWith('in')) return `${field} ${operator} (${shown.join(random.of([',', ', ', ' , ']))})`
  const gap = /[a-z]/.test(operator) ? ' ' : random.of(['', ' ', '  '])
  const sign = operator === '=' ? random.of(['=', '==', ' is ']) : operator
  return `${field}${gap}${sign}${gap}${shown[0]}`
}

class Random {
  #state: number
  constructor(seed: number) {
    this.#state = seed % 2_147_483_647
  }
  next(): number {
    this.#state = (this.#state * 48_271) % 2_147_483_647
    return this.#state / 2_147_483_647
  }
  below(end: number): number {
    return Math.floor(this.next() * end)
  }
  of<V>(values: readonly V[]): V {
    const value = values[this.below(values.length)]
    if (value === undefined && values.length === 0) throw new RangeError('nothing to choose from')
    return value as V
  }
}
