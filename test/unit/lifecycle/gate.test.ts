/** The gate, case by case: pure facts in, a table of checks out. */
import assert from 'node:assert/strict'
import { sha256 } from '../../../src/core/digest.ts'
import { type Champion, cautions, failingChecks, onlyApprovalMissing } from '../../../src/lifecycle/gate/gate.ts'
import { gateRules } from '../../../src/lifecycle/gate/rules.ts'
import type { Risk } from '../../../src/project/config.ts'
import { type Gate, NO_GATE } from '../../../src/project/gate-config.ts'
import type { ScanResult } from '../../../src/store/manifest.ts'
import { gate } from './fixture.ts'
import { type Case, CODE, check, judge, type Spec, verdict, version } from './gate-fixture.ts'

describe('a metric bound', () => {
  const min = (value: number | string | undefined) =>
    verdict(
      { gate: { min: { auc: 0.82 } }, challenger: value === undefined ? {} : { metrics: { auc: value } } },
      'min_auc',
    )

  it('passes at the bound and above, fails below', () => {
    assert.deepEqual([0.82, 0.9, 0.8199999].map(min), ['pass', 'pass', 'fail'])
  })

  it('fails for a missing metric and names the recorded ones', () => {
    const found = check({ gate: { min: { auc: 0.82 } }, challenger: { metrics: { accuracy: 0.9 } } }, 'min_auc')
    assert.deepEqual([found?.verdict, found?.actual], ['fail', 'missing'])
    assert.match(found?.note ?? '', /accuracy/)
  })

  it('fails for NaN and the infinities: a metric that is no finite number proves nothing', () => {
    assert.deepEqual(['NaN', 'Infinity', '-Infinity'].map(min), ['fail', 'fail', 'fail'])
    const max = (value: string) =>
      verdict({ gate: { max: { loss: 0.5 } }, challenger: { metrics: { loss: value } } }, 'max_loss')
    assert.deepEqual(['NaN', 'Infinity', '-Infinity'].map(max), ['fail', 'fail', 'fail'])
  })

  it('fails for a value that the metric cannot have, above any bound, and asks whether it is a percentage', () => {
    const found = check({ gate: { min: { roc_auc: 0.5 } }, challenger: { metrics: { roc_auc: 67 } } }, 'min_roc_auc')
    assert.equal(found?.verdict, 'fail')
    assert.match(found?.note ?? '', /roc_auc lies between 0 and 1; is 67 a percentage\?/)
    const max = (metric: string, value: number) =>
      verdict({ gate: { max: { [metric]: 1.5 } }, challenger: { metrics: { [metric]: value } } }, `max_${metric}`)
    assert.deepEqual(
      [max('log_loss', -1), max('brier', 1.2), max('rmse', -0.1), max('r2', 1.1), max('r2', -3), max('lift', -1)],
      ['fail', 'fail', 'fail', 'fail', 'pass', 'pass'],
    )
  })

  it('fails for a metric that is a word, and for one called like a member of every object', () => {
    assert.equal(min('high'), 'fail')
    assert.equal(verdict({ gate: { min: { constructor: 0 } } }, 'min_constructor'), 'fail')
  })

  it('takes the stricter of the stage and the policy', () => {
    const spec = {
      gate: { min: { auc: 0.8 }, max: { loss: 0.5 } },
      validation: { min: { auc: 0.85 }, max: { loss: 0.6 } },
    }
    assert.equal(check(spec, 'min_auc')?.required, 'auc >= 0.85')
    assert.equal(check(spec, 'max_loss')?.required, 'loss <= 0.5')
  })
})

describe('the comparison with the champion', () => {
  const rules: Partial<Gate> = { min: { auc: 0.5 }, max: { loss: 9 }, compareTo: 'production' }
  const champion = (spec: Spec, more: Partial<Champion> = {}): Champion => ({ ...version(1, spec), ...more })
  const compare = (challenger: Spec, other: Champion | null, more: Case = {}) =>
    judge({ gate: rules, challenger, champion: other, ...more }).checks.filter(({ name }) => name === 'compare_to')
  const verdicts = (...args: Parameters<typeof compare>) => compare(...args).map((each) => each.verdict)

  it('wants more of what min_ names and less of what max_ names, on the same test set', () => {
    const one = champion({ metrics: { auc: 0.8, loss: 0.4 }, test: 't' })
    assert.deepEqual(verdicts({ metrics: { auc: 0.81, loss: 0.39 }, test: 't' }, one), ['pass', 'pass'])
    assert.deepEqual(verdicts({ metrics: { auc: 0.79, loss: 0.41 }, test: 't' }, one), ['fail', 'fail'])
    assert.deepEqual(verdicts({ metrics: { auc: 0.8, loss: 0.4 }, test: 't' }, one), ['pass', 'pass'], 'ties pass')
  })

  it('compares no figure that the metric cannot have, on either side', () => {
    const possible = { metrics: { auc: 0.8, loss: 0.4 }, test: 't' }
    const percent = { metrics: { auc: 81, loss: 0.4 }, test: 't' }
    assert.deepEqual(verdicts(percent, champion(possible)), ['fail', 'pass'])
    assert.deepEqual(verdicts(possible, champion(percent)), ['inconclusive', 'pass'])
  })

  it('passes without a champion, marks it, and says what the next version will miss', () => {
    const [without] = compare({ metrics: { auc: 0.8, loss: 1 } }, null)
    assert.deepEqual([without?.verdict, without?.actual], ['pass', 'no champion'])
    assert.match(without?.note ?? '', /--test DATA/)
    const [withTest] = compare({ metrics: { auc: 0.8, loss: 1 }, test: 't' }, null)
    assert.doesNotMatch(withTest?.note ?? '', /--test/)
  })

  it('is inconclusive for production when a test set is unknown, and names the flags', () => {
    const [unproven] = compare({ metrics: { auc: 0.9, loss: 0.1 } }, champion({ metrics: { auc: 0.8, loss: 0.4 } }))
    assert.equal(unproven?.verdict, 'inconclusive')
    assert.match(unproven?.note ?? '', /test set unproven.*--test DATA.*evaluate/)
  })

  it('compares recorded metrics for staging when a test set is unknown, marked as unproven', () => {
    const one = champion({ metrics: { auc: 0.8, loss: 0.4 }, test: 't' })
    const staging = { stage: 'staging' }
    const [unproven] = compare({ metrics: { auc: 0.9, loss: 0.1 } }, one, staging)
    assert.equal(unproven?.verdict, 'pass')
    assert.match(unproven?.note ?? '', /test set unproven/)
    assert.deepEqual(verdicts({ metrics: { auc: 0.7, loss: 0.1 } }, one, staging), ['fail', 'pass'])
  })

  it('draws no verdict from test sets that are known to differ, in any stage', () => {
    const one = champion({ metrics: { auc: 0.8, loss: 0.4 }, test: 'may' })
    const better: Spec = { metrics: { auc: 0.9, loss: 0.1 }, test: 'june' }
    for (const stage of ['staging', 'production']) {
      const checks = compare(better, one, { stage })
      assert.deepEqual(
        checks.map((each) => each.verdict),
        ['inconclusive', 'inconclusive'],
      )
      assert.match(checks[0]?.note ?? '', /different test sets.*evaluate/)
    }
  })

  it('uses the re-scored champion when there is one', () => {
    const rescore = { kind: 'measured' as const, metrics: { auc: 0.7, loss: 0.6 } }
    const one = champion({ metrics: { auc: 0.95, loss: 0.01 }, test: 'may' }, { rescore })
    const checks = compare({ metrics: { auc: 0.75, loss: 0.5 }, test: 'june' }, one)
    assert.deepEqual(
      checks.map((each) => each.verdict),
      ['pass', 'pass'],
    )
    assert.match(checks[0]?.required ?? '', /0\.7 of churn-model@1/)
    assert.match(checks[0]?.note ?? '', /re-scored/)
  })

  it('says why the champion could not be re-scored', () => {
    const rescore = { kind: 'impossible' as const, reason: 'the evaluate command ended with 1' }
    const one = champion({ metrics: { auc: 0.8, loss: 0.4 }, test: 'may' }, { rescore })
    const [found] = compare({ metrics: { auc: 0.9, loss: 0.1 }, test: 'june' }, one)
    assert.match(found?.note ?? '', /ended with 1/)
  })

  it('is inconclusive when the champion lacks the metric, fails when the challenger does', () => {
    const one = champion({ metrics: { loss: 0.4, auc: 'NaN' }, test: 't' })
    assert.deepEqual(verdicts({ metrics: { auc: 0.9 }, test: 't' }, one), ['inconclusive', 'fail'])
    const infinite = champion({ metrics: { loss: '-Infinity', auc: 'Infinity' }, test: 't' })
    assert.deepEqual(verdicts({ metrics: { auc: 0.9, loss: 0.1 }, test: 't' }, infinite), [
      'inconclusive',
      'inconclusive',
    ])
    assert.deepEqual(verdicts({ metrics: { auc: 'Infinity', loss: '-Infinity' }, test: 't' }, one), ['fail', 'fail'])
  })

  it("takes the champion's own files for a tie: how an unproven champion is given its test set", () => {
    const one = champion({ metrics: { auc: 0.8, loss: 0.4 }, files: ['same'] })
    const again: Spec = { metrics: { auc: 0.79, loss: 0.41 }, files: ['same'], test: 't' }
    assert.deepEqual(verdicts(again, one), ['pass'])
  })

  it('compares nothing when no bound names a metric, and says so', () => {
    const one = champion({ metrics: { auc: 0.8 }, test: 't' })
    const spec = { gate: { compareTo: 'production' }, challenger: { metrics: { auc: 0.9 }, test: 't' }, champion: one }
    assert.equal(check(spec, 'compare_to')?.verdict, 'inconclusive')
  })

  it('binds the verdict to the champion', () => {
    const one = champion({ metrics: { auc: 0.8, loss: 0.4 }, test: 't' })
    assert.equal(judge({ gate: rules, champion: one }).bound.champion, one.digest)
    assert.equal(judge({ gate: rules, champion: null }).bound.champion, undefined)
  })
})

describe('what must be there', () => {
  it('baseline, run and data hash, when the gate requires them', () => {
    const needs: Partial<Gate> = { baseline: 'required', run: 'required', dataHash: 'required' }
    const none = judge({ gate: needs })
    assert.deepEqual(
      failingChecks(none).map(({ name }) => name),
      ['baseline', 'run', 'data_hash'],
    )
    for (const { note } of failingChecks(none)) assert.match(note ?? '', /register|mlops track/)
    const data = [{ name: 'train', sha256: sha256('rows') }]
    assert.equal(judge({ gate: needs, challenger: { baseline: true, run: true, data } }).verdict, 'pass')
    const known = check({ gate: needs, challenger: { data } }, 'data_hash')
    assert.equal(known?.actual, `file hash ${sha256('rows').slice(0, 12)}`)
  })

  it("takes the model's own baseline where the version has none", () => {
    const spec: Case = { gate: { baseline: 'required' }, more: { modelBaseline: true } }
    assert.deepEqual([check(spec, 'baseline')?.verdict, check(spec, 'baseline')?.actual], ['pass', "the model's own"])
  })

  it('does not take the test set for training data', () => {
    assert.equal(verdict({ gate: { dataHash: 'required' }, challenger: { test: 't' } }, 'data_hash'), 'fail')
  })

  it('an artifact for production, not for staging', () => {
    assert.equal(verdict({ challenger: { files: [] } }, 'artifact'), 'fail')
    assert.equal(verdict({ stage: 'staging', challenger: { files: [] } }, 'artifact'), undefined)
  })

  it('an approval for production though nothing is configured, none for staging', () => {
    assert.equal(verdict({ more: { approvals: [] } }, 'approval'), 'fail')
    assert.equal(judge({ stage: 'staging', more: { approvals: [] } }).checks.length, 0)
    assert.equal(
      verdict({ gate: { approval: 0 }, more: { approvals: [] } }, 'approval'),
      'fail',
      'nor can it be switched off',
    )
  })

  it('knows when nothing but the approval is missing', () => {
    assert.equal(onlyApprovalMissing(judge({ more: { approvals: [] } })), true)
    assert.equal(onlyApprovalMissing(judge({ challenger: { files: [] }, more: { approvals: [] } })), false)
    assert.equal(onlyApprovalMissing(judge({})), false)
  })
})

describe('the risk of a model', () => {
  it('warns of code in a file at every risk, of a missing baseline from standard on', () => {
    const spec: Case = { challenger: { scan: CODE } }
    assert.equal(judge(spec).verdict, 'pass')
    assert.equal(cautions(judge(spec)).length, 2)
    assert.match(cautions(judge(spec)).join(), /posix\.system/)
    assert.deepEqual(cautions(judge({ ...spec, risk: 'low' })).length, 1)
    const unread: ScanResult = { verdict: 'not determined', findings: [] }
    assert.deepEqual(cautions(judge({ challenger: { scan: unread }, risk: 'low' })), [])
  })

  it('refuses both at high, code even in staging', () => {
    const failing = failingChecks(judge({ risk: 'high', challenger: { scan: CODE, metrics: { auc: 1 } } }))
    assert.deepEqual(
      failing.map(({ name }) => name),
      ['metric bound', 'baseline', 'run', 'data_hash', 'scan'],
    )
    assert.equal(verdict({ risk: 'high', stage: 'staging', challenger: { scan: CODE } }, 'scan'), 'fail')
    const unknown: ScanResult = { verdict: 'not determined', findings: [] }
    assert.equal(verdict({ risk: 'high', challenger: { scan: unknown } }, 'scan'), 'fail', 'fails closed')
  })

  it('is no matter where the gate says what a file may hold', () => {
    const scans = ['inert', 'known globals only', 'not determined', 'can execute code'] as const
    const judged = (scan: 'no code' | 'inert') =>
      scans.map((verdict_) =>
        verdict(
          { risk: 'low', stage: 'staging', gate: { scan }, challenger: { scan: { verdict: verdict_, findings: [] } } },
          'scan',
        ),
      )
    assert.deepEqual(judged('no code'), ['pass', 'pass', 'fail', 'fail'])
    assert.deepEqual(judged('inert'), ['pass', 'fail', 'fail', 'fail'])
    const both = gateRules({ risk: 'standard', gates: { staging: { ...NO_GATE, scan: 'no code' } } }, 'staging', {
      ...NO_GATE,
      scan: 'inert',
    })
    assert.equal(both.scan, 'inert', 'of two gates the stricter counts')
  })

  it('lets scikit-learn files through at high', () => {
    const sklearn: ScanResult = { verdict: 'known globals only', findings: [] }
    assert.equal(verdict({ risk: 'high', challenger: { scan: sklearn } }, 'scan'), 'pass')
  })

  it('compares with production at high though nobody configured it', () => {
    const spec: Case = {
      risk: 'high',
      gate: { min: { auc: 0.5 } },
      challenger: { metrics: { auc: 0.6 }, test: 't' },
      champion: version(1, { metrics: { auc: 0.7 }, test: 't' }),
    }
    assert.equal(verdict(spec, 'compare_to'), 'fail')
  })
})

describe('the digest of the rules', () => {
  it('changes with any rule, and not with the order in which bounds are written', () => {
    const digest = (more: Partial<Gate>, risk: Risk = 'standard') =>
      gateRules({ risk, gates: { production: gate(more) } }, 'production').digest
    const base = digest({ min: { auc: 0.8, f1: 0.5 } })
    assert.equal(base, digest({ min: { f1: 0.5, auc: 0.8 } }))
    assert.notEqual(base, digest({ min: { auc: 0.81, f1: 0.5 } }))
    assert.notEqual(base, digest({ min: { auc: 0.8, f1: 0.5 }, approval: 2 }))
    assert.notEqual(base, digest({ min: { auc: 0.8, f1: 0.5 } }, 'low'))
  })
})
