/** What a workflow file says of its inputs, and whether they fit. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MlopsError } from '../../../../src/core/errors.ts'
import { loadPolicy } from '../../../../src/project/policy.ts'
import { assertInputs, inputsOf } from '../../../../src/retrain/github/inputs.ts'
import { readWorkflow, type WorkflowFile } from '../../../../src/retrain/github/workflow-file.ts'
import { WORKFLOW } from '../../../support/github.ts'

const WANTED = { own: {}, model: 'churn-model', reason: 'drift', correlation: '01JZ' }
const NAME = 'retrain.yml'

function file(text: string): WorkflowFile {
  const read = readWorkflow(Buffer.from(text), NAME)
  assert.ok(read.kind === 'read', JSON.stringify(read))
  return read.file
}
function problems(text: string, own: Record<string, string> = {}): readonly string[] {
  const wanted = { ...WANTED, own }
  const workflow = file(text)
  try {
    assertInputs(inputsOf(wanted, workflow), wanted, workflow, NAME)
    return []
  } catch (error) {
    return (error as MlopsError).details?.problems as string[]
  }
}
const declares = (inputs: string): string =>
  `run-name: \${{ inputs.correlation_id }}\non:\n  workflow_dispatch:\n    inputs:\n      correlation_id: { required: true }\n${inputs}`

describe('The inputs of a workflow', () => {
  it('are its own, the correlation id, and of model and reason what it declares', () => {
    const lean = file(declares('      reason: {}\n'))
    assert.deepEqual(inputsOf({ ...WANTED, own: { days: '3' } }, lean), {
      reason: 'drift',
      days: '3',
      correlation_id: '01JZ',
    })
    assert.deepEqual(inputsOf(WANTED, undefined), { model: 'churn-model', reason: 'drift', correlation_id: '01JZ' })
    assert.equal(inputsOf({ ...WANTED, own: { model: 'churn-eu' } }, file(WORKFLOW)).model, 'churn-eu')
    assert.deepEqual(problems(WORKFLOW), [])
  })

  it('are found however on: is written', () => {
    for (const on of [
      'on: workflow_dispatch',
      'on: [push, workflow_dispatch]',
      'on:\n  push:\n  workflow_dispatch:',
      "'on':\n  workflow_dispatch: {}",
    ]) {
      assert.ok(file(`${on}\njobs: {}\n`).dispatch !== undefined, on)
    }
    for (const on of ['on: push', 'on: [push]', 'on: {schedule: [{cron: "0 3 * * *"}]}', 'name: x']) {
      assert.equal(file(`${on}\n`).dispatch, undefined, on)
      assert.match(problems(`${on}\n`).join(), /has no workflow_dispatch/)
    }
  })

  it('of every type are checked by it', () => {
    const text = declares(
      '      n: { type: number }\n      b: { type: boolean }\n      e: { type: environment, required: true }\n      c: { type: choice, options: [1, two] }\n',
    )
    assert.deepEqual(problems(text, { n: '-1.5e3', b: 'false', e: 'production', c: '1' }), [])
    assert.deepEqual(
      problems(text, { n: '', b: 'True', e: '', c: '2' }).map((each) => each.replace(/^retrain\.yml:\d+: input /, '')),
      [
        'n: number does not take ""',
        'b: boolean takes true or false, not "True"',
        'e: required, and the policy fills it with nothing',
        'c: choice takes 1, two, not "2"',
      ],
    )
    assert.deepEqual(problems(declares('      x: { type: integer }\n')), [
      'retrain.yml:6: input x: type integer is none of string, boolean, number, choice, environment',
    ])
  })

  it('are at most 25 and 65,535 characters together, as GitHub counts them', () => {
    const many = (count: number): string =>
      Array.from({ length: count }, (_, at) => `      i${at}: { default: a }\n`).join('')
    assert.deepEqual(problems(declares(many(24))), [])
    assert.deepEqual(problems(declares(many(25))), ['retrain.yml:4: 26 inputs are declared; GitHub takes 25'])
    const empty = JSON.stringify({ long: '', correlation_id: '01JZ' }).length
    const fits = { long: 'é'.repeat(65_535 - empty) }
    assert.deepEqual(problems(declares('      long: {}\n'), fits), [])
    assert.deepEqual(problems(declares('      long: {}\n'), { long: `${fits.long}e` }), [
      'policy.job.inputs: 65536 characters of JSON with those of mlops; GitHub takes 65535',
    ])
  })

  it('leave the correlation id to mlops', () => {
    assert.match(problems(WORKFLOW, { correlation_id: 'mine' }).join(), /filled in by mlops; take it out/)
    assert.deepEqual(problems(WORKFLOW.replace('correlation_id: { type: string', 'correlation_id: { type: number')), [
      'retrain.yml:6: input correlation_id: it must be of type string, not number',
    ])
  })

  it('carry the correlation id in the name of the run, in any of its spellings', () => {
    const named = (name: string): string => WORKFLOW.replace(/^run-name:.*$/m, `run-name: ${name}`)
    for (const name of [
      `a \${{ inputs.correlation_id }}`,
      `\${{ github.event.inputs.correlation_id }}`,
      `"\${{ format('{0}', inputs['correlation_id']) }}"`,
    ]) {
      assert.deepEqual(problems(named(name)), [], name)
    }
    for (const name of ['a', 'inputs.correlation_id', `\${{ inputs.correlation_id_2 }}`, `\${{ inputs.model }}`]) {
      assert.deepEqual(
        problems(named(name)),
        ['retrain.yml:2: run-name: does not carry the correlation_id, by which the run is found again'],
        name,
      )
    }
  })

  it('are not judged where the file uses what is not read here, but broken YAML is named with its line', () => {
    const anchored = readWorkflow(Buffer.from(`${WORKFLOW}x: &a 1\ny: *a\n`), NAME)
    assert.ok(anchored.kind === 'unreadable' && /line 17: anchors/.test(anchored.why), JSON.stringify(anchored))
    const broken = readWorkflow(Buffer.from('on:\n  push: [\n'), NAME)
    assert.ok(broken.kind === 'invalid' && broken.problem.startsWith('retrain.yml:'), JSON.stringify(broken))
  })
})

describe('docs/github.md', () => {
  it('shows a workflow and a policy that fit each other', async () => {
    const blocks = [...readFileSync('docs/github.md', 'utf8').matchAll(/```yaml\n([\s\S]*?)```/g)].map(
      ([, text = '']) => text,
    )
    const [policyText = '', workflow = ''] = blocks
    const folder = mkdtempSync(join(tmpdir(), 'mlops-docs-'))
    writeFileSync(join(folder, 'policy.yaml'), policyText)
    const { job } = await loadPolicy(join(folder, 'policy.yaml'), { cwd: folder })
    rmSync(folder, { recursive: true })
    assert.ok(job.type === 'github_actions')
    assert.ok(workflow.startsWith(`# .github/workflows/${job.workflow}\n`))
    assert.deepEqual(problems(workflow, job.inputs), [])
  })
})
