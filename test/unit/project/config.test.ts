import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MlopsError } from '../../../src/core/errors.ts'
import { defaultModel } from '../../../src/project/config-read.ts'
import { NO_GATE } from '../../../src/project/gate-config.ts'
import { loadProject, modelConfig } from '../../../src/project/load.ts'

const DESIGN_EXAMPLE = `# mlops.yaml
store: .mlops
stages: [staging, production]
models:
  churn-model:
    risk: standard
    artifact: model.joblib
    train: python train.py
    evaluate: python evaluate.py {model} {data}
    schema: {columns: {customer_id: id, plan: categorical}, target: churned, prediction: churn_probability}
    drift: {window: 7d, metric: psi, threshold: 0.10, columns: {tenure: {threshold: 0.2}}, alert_after: 2 of 3, cool_down: 24h}
    predictions: .mlops/predictions            # or postgres://…
    notify: ["slack:#ml-alerts", "email:ml@example.com"]
    gates:
      staging: {min_auc: 0.80}
      production: {min_auc: 0.82, compare_to: production, approval: 1, baseline: required, run: required}
`

/** Members without their prototypes, for comparing with literals. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

describe('mlops.yaml', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mlops-config-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const load = (content: string | Uint8Array) => {
    writeFileSync(join(folder, 'mlops.yaml'), content)
    return loadProject({ cwd: folder, env: {} })
  }
  /** The lines of the one error that the content must give. */
  const problems = async (content: string | Uint8Array): Promise<string[]> => {
    const error = await load(content).then(
      () => assert.fail('the file was accepted'),
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof MlopsError, String(error))
    assert.equal(error.exitCode, 2)
    assert.equal(error.code, 'CONFIG_INVALID')
    assert.ok(error.hint)
    return error.message.split('\n')
  }
  const only = async (content: string | Uint8Array): Promise<string> => {
    const lines = await problems(content)
    assert.equal(lines.length, 1, lines.join('\n'))
    return lines[0] ?? ''
  }

  it('means exactly what the example of the design says', async () => {
    const project = await load(DESIGN_EXAMPLE)
    assert.deepEqual(plain(project.config), {
      store: '.mlops',
      gitTags: false,
      stages: ['staging', 'production'],
      models: {
        'churn-model': {
          risk: 'standard',
          artifact: 'model.joblib',
          train: 'python train.py',
          evaluate: 'python evaluate.py {model} {data}',
          predictions: { at: '.mlops/predictions', drop: [], sample: 1 },
          schema: {
            columns: { customer_id: 'id', plan: 'categorical' },
            target: 'churned',
            prediction: 'churn_probability',
          },
          drift: {
            metric: 'psi',
            columns: { tenure: { threshold: 0.2 } },
            window: '7d',
            threshold: 0.1,
            alertAfter: '2 of 3',
            coolDown: '24h',
          },
          health: {},
          rollout: defaultModel().rollout,
          notify: ['slack:#ml-alerts', 'email:ml@example.com'],
          gates: {
            staging: { ...NO_GATE, min: { auc: 0.8 } },
            production: {
              ...NO_GATE,
              min: { auc: 0.82 },
              compareTo: 'production',
              approval: 1,
              baseline: 'required',
              run: 'required',
            },
          },
        },
      },
    })
  })

  it('takes the margins of a rollout, and has defaults for the others', async () => {
    const project = await load(
      'models: {m: {rollout: {min_requests: 500, max_error_increase: 0.005, min_time: 1h, labels: required}}}',
    )
    assert.deepEqual(plain(modelConfig(project, 'm').rollout), {
      minRequests: 500,
      maxErrorIncrease: 0.005,
      maxLatencyRatio: 1.5,
      maxPredictionPsi: 0.25,
      maxQualityLoss: 0.05,
      minLabels: 50,
      labels: 'required',
      minTime: 3_600_000,
    })
    assert.match(await only('models: {m: {rollout: {max_latency_ratio: 0.9}}}'), /max_latency_ratio.*above 1/)
    assert.match(await only('models: {m: {rollout: {min_request: 9}}}'), /min_requests/)
  })

  it('takes any min_ and max_ metric as a gate', async () => {
    const project = await load('models: {m: {gates: {staging: {min_f1_macro: 0.5, max_log_loss: 1e-1, min_auc: 1}}}}')
    const gate = modelConfig(project, 'm').gates.staging
    assert.deepEqual(plain([gate?.min, gate?.max]), [{ f1_macro: 0.5, auc: 1 }, { log_loss: 0.1 }])
  })

  it('gives a model that is not named, or named without anything, the defaults', async () => {
    const project = await load('models:\n  bare:\n')
    for (const model of ['bare', 'unknown', 'constructor', '__proto__']) {
      assert.deepEqual(modelConfig(project, model), defaultModel())
    }
  })

  it('does not mistake a column called constructor for a configured one', async () => {
    const { schema, drift } = modelConfig(await load('models: {m: {}}'), 'm')
    assert.equal(schema.columns.constructor, undefined)
    assert.equal(drift.columns.toString, undefined)
    const named = modelConfig(await load('models: {m: {schema: {columns: {__proto__: id, constructor: text}}}}'), 'm')
    assert.equal(named.schema.columns.constructor, 'text')
    assert.deepEqual(Object.keys(named.schema.columns), ['__proto__', 'constructor'])
  })

  for (const [what, content] of [
    ['an empty file', ''],
    ['a file of comments', '# nothing yet\n\n'],
    ['keys whose values are commented out', 'store:\nmodels:\n  # churn-model:\n'],
    ['a byte-order mark and Windows line ends', '\ufeffstore: .mlops\r\nstages: [staging, production]\r\n'],
  ] as const) {
    it(`takes ${what} as the defaults`, async () => {
      const { config } = await load(content)
      assert.deepEqual(plain(config), {
        store: '.mlops',
        stages: ['staging', 'production'],
        gitTags: false,
        models: {},
      })
    })
  }

  it('names file, line and path of an unknown key and what was probably meant', async () => {
    const message = await only('models:\n  churn-model:\n    risk: low\n    drft: {}\n')
    assert.equal(message, 'mlops.yaml:4: models.churn-model.drft: unknown key; did you mean drift?')
  })

  it('reports all problems at once, in the order of the file', async () => {
    const lines = await problems(
      [
        'stores: x',
        'models:',
        '  Churn:',
        '    risk: hihg',
        '  ok:',
        '    drift: {threshold: -1, window: a week}',
        '    gates: {prodution: {min_auc: high}}',
        '    notify: [slak:#a]',
        '    evaluate: python evaluate.py {model}',
      ].join('\n'),
    )
    assert.deepEqual(lines, [
      'mlops.yaml:1: stores: unknown key; did you mean store?',
      'mlops.yaml:3: models.Churn: cannot be the name of a model: it has upper-case letters, which some file systems cannot tell apart',
      'mlops.yaml:4: models.Churn.risk: expected low, standard or high, found "hihg"; did you mean high?',
      'mlops.yaml:6: models.ok.drift.threshold: expected a number above 0, found "-1"',
      'mlops.yaml:6: models.ok.drift.window: expected a duration such as 24h or 7d, found "a week"',
      'mlops.yaml:7: models.ok.gates.prodution.min_auc: expected a number, found "high"',
      'mlops.yaml:7: models.ok.gates.prodution: prodution is not one of the stages (staging, production); did you mean production?',
      'mlops.yaml:8: models.ok.notify[0]: expected a channel such as slack:#ml-alerts or email:ml@example.com; did you mean slack?',
      'mlops.yaml:9: models.ok.evaluate: the command must contain {data}',
    ])
  })

  it('keeps a flood of problems readable', async () => {
    const lines = await problems(Array.from({ length: 500 }, (_, i) => `key${i}: 1`).join('\n'))
    assert.equal(lines.length, 21)
    assert.equal(lines.at(-1), '… and 480 more')
  })

  it('names the line of a wrong value that stands below its key', async () => {
    const message = await only('models:\n  m:\n    drift:\n      threshold:\n        .nan\n')
    assert.equal(message, 'mlops.yaml:5: models.m.drift.threshold: expected a number above 0, found ".nan"')
  })

  for (const [what, content, expected] of [
    ['a list at the top', '- a\n', 'mlops.yaml:1: expected a map with store, stages, git_tags, models, found a list'],
    ['a word at the top', 'hello', 'mlops.yaml:1: expected a map with store, stages, git_tags, models, found "hello"'],
    ['a key written twice', 'store: a\nmodels: {}\nstore: b\n', 'store: this key stands here twice, first in line 1'],
    ['an alias', 'store: &s x\nmodels: *s\n', 'mlops.yaml:1: anchors (&name) are not allowed'],
    ['an anchor', 'models: &m {}\n', 'anchors (&name) are not allowed'],
    ['a tag', 'store: !!python/object x\n', 'mlops.yaml:1: tags (!name) are not allowed'],
    ['a merge key', 'models:\n  m:\n    <<: {risk: low}\n', 'mlops.yaml:3: models.m.<<: unknown key'],
    ['a tab as indentation', 'models:\n\tm: {}\n', 'mlops.yaml:2: the line is indented with a tab; use spaces'],
    ['an open bracket', 'stages: [staging\n', 'not valid YAML'],
    ['two documents', 'store: a\n---\nstore: b\n', 'several documents'],
    ['a list as key', '? [a]\n: b\n', 'a key must be a word'],
    ['a NUL byte', 'store: a\0b\n', 'mlops.yaml:1: there is a NUL byte'],
    ['nesting without end', `models: ${'{a: '.repeat(5000)}`, 'mlops.yaml:1: the nesting is deeper than 20 levels'],
    ['more than a mebibyte', `# ${'x'.repeat(1 << 20)}`, 'mlops.yaml: the file has 1048578 bytes'],
    ['Latin-1', Buffer.from('store: a\nmodels: {} # caf\xe9\n', 'latin1'), 'mlops.yaml:2: the text is not UTF-8'],
    ['UTF-16', Buffer.from('\ufeffstore: a', 'utf16le'), 'mlops.yaml: the text is not UTF-8'],
    ['stages without production', 'store: x\nstages: [a]\n', 'mlops.yaml:2: stages: production must be one'],
    ['a stage named twice', 'stages: [production, production]\n', 'mlops.yaml:1: stages: a stage is named twice'],
    ['a stage that is a path', 'stages: [production, ../x]\n', 'stages[1]: cannot be the name of a stage'],
    ['2 windows of 1', 'models: {m: {drift: {alert_after: 2 of 1}}}', '2 of 1 can never be reached'],
    ['a model called con', 'models: {con: {}}', 'models.con: cannot be the name of a model: Windows'],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const message = await only(content)
      assert.ok(message.includes(expected), message)
    })
  }

  it('survives an alias bomb in no time and in one line', async () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]']
    for (let i = 1; i < 9; i++) bomb.push(`${'abcdefghi'[i]}: &${'abcdefghi'[i]} [${'*a,'.repeat(9)}]`)
    assert.match(await only(bomb.join('\n')), /^mlops\.yaml:1: anchors/)
  })

  it('says so when the file cannot be a file', async () => {
    mkdirSync(join(folder, 'mlops.yaml'))
    await assert.rejects(
      loadProject({ cwd: folder, env: {} }),
      (error: MlopsError) => error.exitCode === 1 && error.message === 'mlops.yaml is not a file.',
    )
  })

  it('points from mlops.yml to mlops.yaml', async () => {
    writeFileSync(join(folder, 'mlops.yml'), '')
    await assert.rejects(
      loadProject({ cwd: folder, env: {} }),
      (error: MlopsError) => error.exitCode === 2 && error.hint === 'mv mlops.yml mlops.yaml',
    )
  })
})
