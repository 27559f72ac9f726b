/** The Prometheus form of a check, read by the parser of Prometheus' own Python client. */
import assert from 'node:assert/strict'
import { renderPrometheusReport } from '../../../../src/ui/reports/prometheus.ts'
import { check, column, hostileCheck, wholeCheck } from './fixture.ts'
import { type Family, readPrometheus } from './python.ts'

describe('A report for Prometheus', function () {
  this.timeout(30_000)

  it('has the verdict, each column and the health of the service as gauges', function () {
    const families = readPrometheus(this, renderPrometheusReport(wholeCheck()))
    for (const { name, type, help } of families) {
      assert.equal(type, 'gauge', name)
      assert.ok(help.endsWith('.'), name)
    }
    const model = { model: 'churn-model', version: '3' }
    assert.deepEqual(samples(families, 'mlops_drift_verdict'), [
      [{ ...model, verdict: 'drift' }, 1],
      [{ ...model, verdict: 'inconclusive' }, 0],
      [{ ...model, verdict: 'stable' }, 0],
    ])
    assert.deepEqual(samples(families, 'mlops_drift_effect')[0], [
      { ...model, column: 'MonthlyCharges', metric: 'psi' },
      1.169,
    ])
    assert.deepEqual(samples(families, 'mlops_drift_check_timestamp_seconds'), [
      [model, Date.parse('2026-11-21T12:21:13.270Z') / 1000],
    ])
    assert.deepEqual(samples(families, 'mlops_health_breach'), [
      [{ ...model, what: 'errors' }, 1],
      [{ ...model, what: 'latency' }, 0],
    ])
    assert.deepEqual(samples(families, 'mlops_quality_value'), [[{ ...model, metric: 'auc' }, 0.836]])
  })

  it('says nothing about a column that cannot be judged, and no effect that was not measured', function () {
    const families = readPrometheus(this, renderPrometheusReport(check()))
    const columns = (name: string) => samples(families, name).map(([labels, value]) => [labels.column, value])
    assert.deepEqual(columns('mlops_drift_column_drifted'), [
      ['MonthlyCharges', 1],
      ['Dependents', 1],
      ['gender', 0],
    ])
    assert.deepEqual(columns('mlops_drift_effect'), [
      ['MonthlyCharges', 1.169],
      ['tenure', 0.12],
      ['gender', 0.004],
    ])
  })

  it('escapes names and gives them back as they are', function () {
    const name = 'a "quoted" \\ name'
    const families = readPrometheus(this, renderPrometheusReport(check({ columns: [column(name)] })))
    assert.equal(samples(families, 'mlops_drift_effect')[0]?.[0].column, name)
    assert.ok(readPrometheus(this, renderPrometheusReport(hostileCheck())).length > 10)
  })

  it('never writes a series twice, nor a timestamp: a collector would refuse the whole file', function () {
    const twice = [
      wholeCheck(),
      wholeCheck(),
      check({ columns: [column('a'), column('a')] }),
      check({ model: 'fraud' }),
    ]
    const families = readPrometheus(this, renderPrometheusReport(twice))
    const all = families.flatMap((family) => family.samples)
    const names = all.map(({ name, labels }) => JSON.stringify([name, labels]))
    assert.equal(new Set(names).size, names.length)
    assert.deepEqual(
      all.filter(({ timestamp }) => timestamp !== null),
      [],
    )
    assert.equal(new Set(families.map(({ name }) => name)).size, families.length, 'families stand together')
  })

  it('ends with a newline and has no blank line', () => {
    assert.match(renderPrometheusReport(check()), /^# HELP [\s\S]*[^\n]\n$/)
    assert.doesNotMatch(renderPrometheusReport(check()), /\n\n/)
  })
})

const samples = (families: readonly Family[], name: string) =>
  (families.find((family) => family.name === name)?.samples ?? []).map(({ labels, value }) => [labels, value] as const)
