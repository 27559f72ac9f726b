/** The keys of a gate, as they are written in mlops.yaml and in a policy's validation. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { load as loadYaml } from 'js-yaml'
import { MlopsError } from '../../../src/core/errors.ts'
import { configJsonSchema } from '../../../src/project/config-schema.ts'
import type { Gate } from '../../../src/project/gate-config.ts'
import { loadProject, modelConfig } from '../../../src/project/load.ts'
import { loadPolicy } from '../../../src/project/policy.ts'
import { policyJsonSchema } from '../../../src/project/policy-schema.ts'

const EVERYTHING = [
  'min_auc: 0.82',
  'max_log_loss: 0.5',
  'compare_to: production',
  'margin: {auc: 0.01, log_loss: 2%}',
  'approval: 2',
  'self_approval: refused',
  'baseline: required',
  'run: required',
  'data_hash: required',
  'health: required',
  'train_test_overlap: 1%',
  'slices: [{by: region, min_auc: 0.75, max_log_loss: 0.6, min_rows: 50}]',
  'fairness:',
  '  - {by: gender, demographic_parity: 0.1, min_rows: 30}',
  '  - {by: gender, equalized_odds: 0.1}',
  'external:',
  "  - {name: load test, command: './load.sh {model}', timeout: 30m}",
  '  - {name: data tests, junit: reports/junit.xml}',
  'waivers:',
  '  - {check: min_auc, owner: ada, reason: a new region, expires: 2026-12-31}',
]

const MEANING: Gate = {
  min: { auc: 0.82 },
  max: { log_loss: 0.5 },
  compareTo: 'production',
  margin: { auc: { kind: 'absolute', value: 0.01 }, log_loss: { kind: 'relative', value: 0.02 } },
  approval: 2,
  selfApproval: 'refused',
  baseline: 'required',
  run: 'required',
  dataHash: 'required',
  health: 'required',
  overlap: 0.01,
  slices: [{ by: 'region', min: { auc: 0.75 }, max: { log_loss: 0.6 }, minRows: 50 }],
  fairness: [
    { by: 'gender', measure: 'demographic_parity', max: 0.1, minRows: 30 },
    { by: 'gender', measure: 'equalized_odds', max: 0.1 },
  ],
  external: [
    { name: 'load test', command: './load.sh {model}', timeout: 1_800_000 },
    { name: 'data tests', junit: 'reports/junit.xml' },
  ],
  waivers: [{ check: 'min_auc', owner: 'ada', reason: 'a new region', expires: '2026-12-31' }],
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

describe('the keys of a gate', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mlops-gate-config-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const inConfig = (lines: readonly string[]): string =>
    ['models:', '  m:', '    gates:', '      production:', ...lines.map((line) => `        ${line}`)].join('\n')
  const inPolicy = (lines: readonly string[]): string =>
    ['policy:', '  model: m', '  trigger: {type: manual}', '  validation:', ...lines.map((line) => `    ${line}`)].join(
      '\n',
    )

  const gateOf = async (...lines: readonly string[]): Promise<Gate | undefined> => {
    writeFileSync(join(folder, 'mlops.yaml'), inConfig(lines))
    return modelConfig(await loadProject({ cwd: folder, env: {} }), 'm').gates.production
  }
  const validationOf = async (...lines: readonly string[]): Promise<Gate> => {
    const file = join(folder, 'retraining-policy.yaml')
    writeFileSync(file, inPolicy(lines))
    return (await loadPolicy(file, { cwd: folder })).validation
  }
  /** The problems of the lines as the fourth-level keys of a gate, the first of which stands in line 5. */
  const problems = async (...lines: readonly string[]): Promise<string> => {
    const error = await gateOf(...lines).then(
      () => assert.fail('the file was accepted'),
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof MlopsError, String(error))
    assert.equal(error.code, 'CONFIG_INVALID')
    return error.message.replaceAll('models.m.gates.production', 'GATE')
  }

  it('mean the same in mlops.yaml and in a policy', async () => {
    assert.deepEqual(plain(await gateOf(...EVERYTHING)), plain(MEANING))
    assert.deepEqual(plain(await validationOf(...EVERYTHING)), plain(MEANING))
  })

  it('are all accepted by the JSON Schemas that editors use', () => {
    const ajv = new Ajv2020({ allowUnionTypes: true, strictTypes: false })
    const valid = (schema: object, yaml: string): boolean => ajv.validate(schema, loadYaml(yaml))
    assert.ok(valid(configJsonSchema(), inConfig(EVERYTHING)), JSON.stringify(ajv.errors))
    assert.ok(valid(policyJsonSchema(), inPolicy(EVERYTHING)), JSON.stringify(ajv.errors))
    for (const wrong of ['margin: 100%', 'margin: -1', 'train_test_overlap: 2', 'waivers: [{check: min_auc}]']) {
      assert.equal(valid(configJsonSchema(), inConfig([wrong])), false, wrong)
    }
  })

  it('take one margin for every metric, absolute or relative', async () => {
    const margin = async (text: string) => (await gateOf('min_auc: 0.8', 'compare_to: production', text))?.margin
    assert.deepEqual(plain(await margin('margin: 0.01')), { '*': { kind: 'absolute', value: 0.01 } })
    assert.deepEqual(plain(await margin('margin: 0.1%')), { '*': { kind: 'relative', value: 0.001 } })
    assert.deepEqual(plain(await margin("margin: {'*': 1 %}")), { '*': { kind: 'relative', value: 0.01 } })
    assert.deepEqual(plain(await margin('margin: 0')), { '*': { kind: 'absolute', value: 0 } })
  })

  it('refuse a margin that could never count', async () => {
    assert.match(await problems('min_auc: 0.8', 'margin: 0.01'), /^mlops\.yaml:6: GATE\.margin: .*without compare_to/)
    assert.match(
      await problems('min_auc: 0.8', 'compare_to: production', 'margin: {f1: 0.01}'),
      /^mlops\.yaml:7: GATE\.margin\.f1: .*not compared; compared are auc$/,
    )
    for (const wrong of ['-0.01', '100%', '50%', '99.99 %', '0x10', '1e5', '-1%', 'much', '[1]', '.nan', '1 percent']) {
      assert.match(
        await problems('min_auc: 0.8', 'compare_to: production', `margin: ${wrong}`),
        /^mlops\.yaml:7: GATE\.margin: expected a margin/,
        wrong,
      )
    }
  })

  it('refuse a margin that a metric between 0 and 1 cannot fail', async () => {
    const found = async (margin: string) => problems('min_auc: 0.8', 'max_mae: 9', 'compare_to: production', margin)
    assert.match(await found('margin: 1'), /^mlops\.yaml:8: GATE\.margin: auc lies between 0 and 1, so that/)
    assert.match(await found('margin: {auc: 2}'), /^mlops\.yaml:8: GATE\.margin\.auc: auc lies between/)
    const gate = await gateOf('max_mae: 9', 'compare_to: production', 'margin: 2')
    assert.equal(gate?.margin['*']?.value, 2)
  })

  it('refuse a command that quotes its placeholder, in its line', async () => {
    const found = await problems('external:', '  - {name: e, command: \'test -f "{model}"\'}')
    assert.match(found, /^mlops\.yaml:6: GATE\.external\[0\]\.command: \{model\} stands inside quotes/)
  })

  it('hold no secrets: names are refused, a reason is kept without', async () => {
    const token = `gh${'p_'}${'a'.repeat(36)}`
    assert.match(await problems(`external: [{name: "load ${token}", junit: y}]`), /external\[0\]\.name: it looks like/)
    const waiver = (owner: string, reason: string) =>
      `waivers: [{check: min_auc, owner: "${owner}", reason: "${reason}", expires: 2026-12-31}]`
    assert.match(await problems(waiver(token, 'x')), /waivers\[0\]\.owner: it looks like a secret/)
    assert.match(await problems(waiver('a\\u200bda', 'x')), /waivers\[0\]\.owner: it holds characters/)
    const gate = await gateOf(waiver('ada', 'run with --password hunter2'))
    assert.equal(gate?.waivers[0]?.reason, 'run with --password [redacted]')
  })

  it('refuse a waiver without owner, reason or expiry, and a day that does not exist, in its line', async () => {
    const found = await problems(
      'waivers:',
      '  - {check: min_auc}',
      '  - {check: min_auc, owner: ada, reason: x, expires: 2026-02-30}',
    )
    assert.match(found, /^mlops\.yaml:6: GATE\.waivers\[0\]\.owner: missing/m)
    assert.match(found, /^mlops\.yaml:6: GATE\.waivers\[0\]\.reason: missing/m)
    assert.match(found, /^mlops\.yaml:6: GATE\.waivers\[0\]\.expires: missing/m)
    assert.match(found, /^mlops\.yaml:7: GATE\.waivers\[1\]\.expires: there is no day 2026-02-30/m)
    for (const wrong of ['31.12.2026', 'tomorrow', '2026-12', '2026-13-01', '20261231']) {
      const line = `waivers: [{check: min_auc, owner: ada, reason: x, expires: ${wrong}}]`
      assert.match(await problems(line), /waivers\[0\]\.expires: /, wrong)
    }
  })

  it('refuse a slice without a bound, a fairness rule without a measure, an external check without anything', async () => {
    const found = await problems(
      'slices: [{by: region}]',
      'fairness: [{by: gender}]',
      'external: [{name: a}, {name: b, command: x, junit: y}, {name: c, junit: y, timeout: 1m}]',
    )
    assert.match(found, /^mlops\.yaml:5: GATE\.slices\[0\]: no bound/m)
    assert.match(found, /^mlops\.yaml:6: GATE\.fairness\[0\]: no measure.*there is no default/m)
    assert.match(found, /^mlops\.yaml:7: GATE\.external\[0\]: nothing to look at/m)
    assert.match(found, /^mlops\.yaml:7: GATE\.external\[1\]\.junit: one of command and junit/m)
    assert.match(found, /^mlops\.yaml:7: GATE\.external\[2\]\.timeout: /m)
    assert.equal(found.split('\n').length, 5, found)
  })

  it('do not say twice what is wrong with one value', async () => {
    const found = await problems(
      'compare_to: [production]',
      'margin: 1%',
      'slices: [{by: region, min_auc: high}]',
      'fairness: [{by: gender, equalized_odds: 2}]',
    )
    assert.equal(found.split('\n').length, 3, found)
  })

  it('refuse two external checks of one name, and shares that are none', async () => {
    const twice = 'external: [{name: a, junit: x}, {name: a, command: y}]'
    assert.match(await problems(twice), /two checks are called "a"/)
    for (const wrong of ['1.5', '101%', '-0.1', 'some']) {
      assert.match(await problems(`train_test_overlap: ${wrong}`), /expected a share/, wrong)
    }
  })

  it('say which key was meant', async () => {
    assert.match(await problems('fairnes: []'), /did you mean fairness\?/)
    assert.match(await problems('fairness: [{by: g, equalised_odds: 0.1}]'), /did you mean equalized_odds\?/)
    assert.match(await problems('health: requierd'), /did you mean required\?/)
    assert.match(
      await problems('waivers: [{check: a, owner: b, reason: c, expire: 2026-12-31}]'),
      /did you mean expires\?/,
    )
  })
})
