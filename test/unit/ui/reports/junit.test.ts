/** The JUnit form of a check, read by Python's XML parser and held against the structure of the two common schemas. */
import assert from 'node:assert/strict'
import { renderJunitReport } from '../../../../src/ui/reports/junit.ts'
import { check, column, hostileCheck, stable, wholeCheck } from './fixture.ts'
import { type Element, readJunit } from './python.ts'

/** What Ant's and Jenkins' schemas both allow: attributes (those marked ! are required) and children in order. */
const STRUCTURE: Readonly<Record<string, { readonly attributes: readonly string[]; readonly children: string }>> = {
  testsuites: { attributes: [], children: '^(testsuite )*$' },
  testsuite: {
    attributes: [
      'name!',
      'package!',
      'id!',
      'timestamp!',
      'hostname!',
      'tests!',
      'failures!',
      'errors!',
      'skipped',
      'time!',
    ],
    children: '^properties (testcase )*system-out system-err $',
  },
  properties: { attributes: [], children: '^(property )*$' },
  property: { attributes: ['name!', 'value!'], children: '^$' },
  testcase: { attributes: ['name!', 'classname!', 'time!'], children: '^(skipped |failure )?$' },
  failure: { attributes: ['message', 'type!'], children: '^$' },
  skipped: { attributes: ['message'], children: '^$' },
  'system-out': { attributes: [], children: '^$' },
  'system-err': { attributes: [], children: '^$' },
}

describe('A report as JUnit XML', function () {
  this.timeout(30_000)

  it('has a case per column, figure and segment: drift fails, what cannot be said is skipped', function () {
    const cases = casesOf(readJunit(this, renderJunitReport(wholeCheck())))
    const outcomes = cases.map((each) => `${each.attributes.classname} ${each.attributes.name}: ${outcome(each)}`)
    assert.deepEqual(outcomes, [
      'churn-model@3.check verdict: failure',
      'churn-model@3.columns MonthlyCharges: failure',
      'churn-model@3.columns Dependents: failure',
      'churn-model@3.columns tenure: skipped',
      'churn-model@3.columns gender: passed',
      'churn-model@3.health errors: failure',
      'churn-model@3.health latency: passed',
      'churn-model@3.health volume: skipped',
      'churn-model@3.quality auc: passed',
      'churn-model@3.segments of Contract Month-to-month: failure',
      'churn-model@3.segments of Contract (missing): skipped',
    ])
    const [failure] = cases[1]?.children ?? []
    assert.equal(failure?.attributes.type, 'drift')
    assert.match(failure?.attributes.message ?? '', /^median 70\.6 → 91\.5; out of range: 17 % above 119$/)
    assert.match(failure?.text ?? '', /PSI 1\.169, limit 0\.1, noise up to 0\.011/)
    assert.match(cases[3]?.children[0]?.attributes.message ?? '', /^inconclusive: .*needs about 340 rows, has 100/)
  })

  it('counts its cases as they are', function () {
    const [suite] = readJunit(this, renderJunitReport(wholeCheck())).children
    const { tests, failures, skipped, errors } = suite?.attributes ?? {}
    assert.deepEqual({ tests, failures, skipped, errors }, { tests: '11', failures: '5', skipped: '3', errors: '0' })
  })

  it('has the structure of the schemas of Jenkins and Ant, also with hostile names and for a fleet', function () {
    for (const reported of [
      wholeCheck(),
      hostileCheck(),
      [check(), check({ model: 'fraud' })],
      check({ columns: [] }),
    ]) {
      assertStructure(readJunit(this, renderJunitReport(reported)))
    }
  })

  it('gives a name back as it was, made visible where XML cannot hold it', function () {
    const name = `a<b>&"'\u0007\ud800\uffff c`
    const cases = casesOf(readJunit(this, renderJunitReport(check({ columns: [stable(name)] }))))
    assert.equal(cases[1]?.attributes.name, `a<b>&"'\\x07\ufffd\ufffd c`)
  })

  it('an inconclusive check is skipped, never passed', function () {
    const reported = check({
      verdict: 'inconclusive',
      columns: [],
      summary: 'The batch has no rows: nothing can be said.',
    })
    assert.deepEqual(casesOf(readJunit(this, renderJunitReport(reported))).map(outcome), ['skipped'])
  })

  it('a dot in a column opens no level of its own', function () {
    const reported = check({ model: 'a.b', columns: [column('x.y')] })
    assert.equal(casesOf(readJunit(this, renderJunitReport(reported)))[1]?.attributes.classname, 'a_b@3.columns')
  })
})

const casesOf = (root: Element): readonly Element[] =>
  root.children.flatMap(({ children }) => children.filter(({ tag }) => tag === 'testcase'))

const outcome = ({ children }: Element): string => children[0]?.tag ?? 'passed'

function assertStructure(node: Element): void {
  const rule = STRUCTURE[node.tag]
  assert.ok(rule !== undefined, `<${node.tag}> is in neither schema`)
  const allowed = rule.attributes.map((name) => name.replace('!', ''))
  for (const name of Object.keys(node.attributes)) assert.ok(allowed.includes(name), `${node.tag} has ${name}`)
  for (const name of rule.attributes.filter((each) => each.endsWith('!'))) {
    assert.ok(node.attributes[name.slice(0, -1)] !== undefined, `${node.tag} lacks ${name}`)
  }
  if (node.tag === 'testsuite') assert.match(node.attributes.timestamp ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/)
  assert.match(node.children.map(({ tag }) => `${tag} `).join(''), new RegExp(rule.children))
  for (const child of node.children) assertStructure(child)
}
