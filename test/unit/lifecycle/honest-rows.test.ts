/**
 * Held-out answers that say more than they can: damaged scores, rows that count twice, rows that are not of the test set.
 * Refused when a version is registered; where a script logged them hours ago, or an older program kept them, by the gate.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { canonicalBytes } from '../../../src/core/canonical-json.ts'
import { sha256 } from '../../../src/core/digest.ts'
import { parseModelRef } from '../../../src/core/names.ts'
import { ulid } from '../../../src/core/ulid.ts'
import { checkGate } from '../../../src/lifecycle/gate/check.ts'
import { promote } from '../../../src/lifecycle/promote/promote.ts'
import { type RegisterRequest, registerVersion } from '../../../src/lifecycle/register/register.ts'
import type { ModelConfig } from '../../../src/project/config.ts'
import type { Gate } from '../../../src/project/gate-config.ts'
import { gate, MODEL, rejection, type World, world } from './fixture.ts'
import { addRun } from './run-fixture.ts'

let w: World
beforeEach(async () => {
  w = await world()
  writeFileSync(join(w.dir, 'model.json'), '{"weights": [1, 2, 3]}')
  writeFileSync(join(w.dir, 'test.csv'), `x\n${Array.from({ length: ROWS }, (_, at) => at).join('\n')}\n`)
})
afterEach(() => w.remove())

const ROWS = 60
/** Of two classes, with a score that orders nearly all of them. */
const lines = (bias: number, ids = true): string[] =>
  Array.from({ length: ROWS }, (_, at) => {
    const truth = at % 2
    const score = Math.min(0.99, Math.max(0.01, 0.3 + 0.4 * truth + bias * Math.sin(at * 7))).toFixed(3)
    return `${ids ? `${at},` : ''}${truth},${score},${at < 30 ? 'north' : 'south'}`
  })
const table = (rows: readonly string[], header = 'id,truth,score,region'): string => `${header}\n${rows.join('\n')}\n`
const write = (name: string, text: string): void => writeFileSync(join(w.dir, name), text)

const register = (request: Partial<RegisterRequest>) =>
  registerVersion(w.ctx, w.project({}), w.store, { model: MODEL, ...request })
const withAnswers = (answers: string, more: Partial<RegisterRequest> = {}) =>
  register({ artifacts: ['model.json'], test: 'test.csv', testPredictions: answers, ...more })
const judged = async (rules: Partial<Gate>, config: Partial<ModelConfig> = {}) => {
  const project = w.project({ gates: { production: gate(rules) }, ...config })
  const request = { ref: parseModelRef(MODEL), stage: 'production', withoutApproval: true }
  const { gate: found } = await checkGate(w.ctx, project, w.store, request)
  return (name: string) => found.checks.find((check) => check.name === name)
}

/** A version with these answers as an older program would have kept them: nothing was refused. */
async function kept(answers: string, metrics: Readonly<Record<string, number>>, rows = ROWS): Promise<void> {
  const pin = await w.store.objects.put(Buffer.from(answers))
  const file = await w.store.objects.put(Buffer.from(answers.slice(0, 30)))
  const manifest = {
    format: 1,
    model: MODEL,
    files: [{ path: 'model.bin', ...file, scan: { verdict: 'inert', findings: [] } }],
    metrics,
    params: {},
    data: [{ name: 'test', sha256: sha256('test'), rows }],
    testPredictions: { ...pin, format: 'csv' },
  }
  const { sha256: digest } = await w.store.objects.put(canonicalBytes(manifest))
  const state = await w.store.models.stateOrEmpty(MODEL)
  await w.store.models.commit(state, {
    op_id: ulid(Date.now()),
    request: digest,
    type: 'register',
    body: { version: state.versions.length + 1, manifest: digest, tags: [] },
    actor: w.ctx.actor,
    tool: w.ctx.tool,
    time: w.ctx.now().toISOString(),
  })
}

describe('answers that say more than they can', () => {
  const versions = async () => (await w.store.models.stateOrEmpty(MODEL)).versions.length
  const damaged = (cell: string): string => table(lines(0).with(6, `6,0,${cell},north`))

  it('are refused by register: a damaged score, with how many and the first row', async () => {
    for (const cell of ['nan', 'inf', 'oops', '7.5']) {
      write('answers.csv', damaged(cell))
      const error = await rejection(withAnswers('answers.csv', { metrics: { auc: 0.99 } }))
      assert.equal(error.exit, 'usage')
      assert.match(error.message, /^answers\.csv: "score" is n.* in 1 of 60 rows; the first is row 7, "/, cell)
    }
    assert.equal(await versions(), 0)
  })

  it('are refused by register: repeated ids, which make every interval too short', async () => {
    write('answers.csv', table([...lines(0).slice(0, 30), ...lines(0).slice(0, 30)]))
    const error = await rejection(withAnswers('answers.csv'))
    assert.deepEqual([error.code, error.exit], ['HELD_OUT_IDS', 'usage'])
    assert.match(error.message, /30 ids stand in more than one row of "id", 30 of 60 rows too many/)
    assert.equal(await versions(), 0)
  })

  it('are refused by register: more or fewer answers than the test set has rows', async () => {
    const header = 'truth,score,region'
    for (const [rows, count] of [
      [[...lines(0, false), ...lines(0, false)], '120'],
      [lines(0, false).slice(1), '59'],
    ] as const) {
      write('answers.csv', table(rows, header))
      const error = await rejection(withAnswers('answers.csv'))
      assert.deepEqual([error.code, error.exit], ['HELD_OUT_ROWS', 'usage'])
      const said = `answers.csv is not of the test set: there are answers on ${count} rows, and the test set has 60 rows.`
      assert.equal(error.message, said)
    }
    // The test set of the run counts as much as one that a flag names.
    const logged = { kind: 'test' as const, text: '{"truth":1,"score":0.5}\n', rowsDigest: 'ab'.repeat(32) }
    const id = await addRun(w, { artifacts: { 'model.bin': 'x' }, evidence: [logged] })
    assert.equal((await rejection(register({ run: id, testPredictions: 'answers.csv' }))).code, 'HELD_OUT_ROWS')
    assert.equal(await versions(), 0)
    write('answers.csv', table(lines(0, false), header))
    assert.equal((await withAnswers('answers.csv')).heldOut?.rows, 60)
  })

  it('that a script logged keep the version registered, and the gate says why it does not pass', async () => {
    const row = (at: number) =>
      `{"truth":${at % 2},"answer":${at % 2},"score":${at === 4 ? '"nan"' : 0.2 + 0.6 * (at % 2)}}\n`
    const text = (count: number, from = 0) => Array.from({ length: count }, (_, at) => row(at + from)).join('')
    const end = { metrics: { auc: 0.99 } }
    const cases = [
      [text(ROWS), undefined, /"score" is no finite number in 1 of 60 rows; the first is row 5, "nan"/],
      [text(ROWS - 8, 6), 'test.csv', /answers on 52 rows, and the test set has 60 rows/],
    ] as const
    for (const [logged, test, said] of cases) {
      const evidence = [{ kind: 'test' as const, text: logged, rowsDigest: 'ab'.repeat(32) }]
      const id = await addRun(w, { artifacts: { 'model.bin': logged }, evidence, end })
      const result = await register({ run: id, ...(test === undefined ? {} : { test }) })
      assert.equal(result.heldOut, null)
      assert.match(result.notes.join('\n'), said)
      const check = (await judged({ min: { auc: 0.9 } }))('recorded metrics')
      assert.equal(check?.verdict, 'inconclusive')
      assert.match(check?.note ?? '', said)
    }
  })

  it('and that an older program kept never silence the comparison with what was recorded', async () => {
    const asAnswer = (cell: string) => damaged(cell).replace('score', 'answer')
    const cases = [damaged('nan'), asAnswer('oops'), asAnswer('inf'), table(lines(0).with(1, '0,1,0.7,north'))]
    for (const answers of cases) {
      await kept(answers, { auc: 0.99 })
      const check = (await judged({ min: { auc: 0.9 } }))('recorded metrics')
      assert.deepEqual([check?.verdict, check?.actual], ['inconclusive', 'unreadable'], answers.slice(0, 200))
    }
    await kept(table(lines(0)), { auc: 0.99 }, ROWS - 1)
    assert.match((await judged({ min: { auc: 0.9 } }))('recorded metrics')?.note ?? '', /the test set has 59 rows/)
    // Two classes came true, and the answers are of three: nothing says that the recorded figure is of these rows.
    const third = lines(0).map((line, at) => `${line.split(',').slice(0, 2).join(',')},${at === 3 ? 'maybe' : at % 2}`)
    await kept(table(third, 'id,truth,answer'), { f1: 0.99 })
    const check = (await judged({ min: { f1: 0.9 } }))('recorded metrics')
    assert.deepEqual([check?.verdict, check?.actual], ['inconclusive', 'f1 0.99 recorded, none computed'])
    assert.match(check?.note ?? '', /"maybe" never came true; register it again with predictions/)
    await kept(table(lines(0)), { auc: 1 })
    assert.equal((await judged({ min: { auc: 0.9 } }))('recorded metrics')?.verdict, 'pass')
  })
})

describe('groups of the champion', () => {
  const slices = [{ by: 'region', min: { auc: 0.5 }, max: {} }]
  const rules = { min: { auc: 0.5 }, compareTo: 'production', slices }
  const champion = async (answers: string) => {
    write('champion.csv', answers)
    await withAnswers('champion.csv', { metrics: { auc: 1 } })
    const ref = parseModelRef(`${MODEL}@1`)
    await promote(w.ctx, w.project({}), w.store, { ref, stage: 'production', approve: ['ada'] })
    write('model.json', '{"weights": [4]}')
  }
  const challenger = (answers: string) => {
    write('challenger.csv', answers)
    return withAnswers('challenger.csv', { metrics: { auc: 1 } })
  }

  it('stand beside those of the challenger, also where the champion recorded no such column', async () => {
    const without = lines(0.5).map((line) => line.split(',').slice(0, 3).join(','))
    await champion(table(without, 'id,truth,score'))
    await challenger(table(lines(0)))
    const check = (await judged(rules))('slice region')
    assert.match(check?.note ?? '', /^churn-model@1 on the same rows of (north|south): 0\.[0-9]+$/)
    assert.equal(check?.verdict, 'pass')
  })

  it('are said to be unknown where its answers are not on the same rows, with the reason', async () => {
    const others = lines(0.5).map((line) => `9${line}`)
    await champion(table(others))
    await challenger(table(lines(0)))
    const found = await judged(rules)
    assert.match(found('slice region')?.note ?? '', /^not compared with churn-model@1: not the same rows/)
    assert.match(found('compare_to')?.note ?? '', /not compared row by row: not the same rows/)
  })

  it('tell rows in another order apart, where no ids do: every column that both have is looked at', async () => {
    const header = 'truth,score,region'
    const swapped = lines(0.5, false)
    const moved = [...swapped.slice(30), ...swapped.slice(0, 30)]
    await champion(table(moved, header))
    await challenger(table(lines(0, false), header))
    const found = (await judged({ min: { auc: 0.5 }, compareTo: 'production' }))('compare_to')
    assert.match(found?.note ?? '', /the rows are in another order: region differs/)
  })

  it('are known of what the evaluate command wrote', async () => {
    const script = [
      "const { readFileSync, writeFileSync } = require('node:fs')",
      'const [model, out] = process.argv.slice(2)',
      "const isNew = readFileSync(model, 'utf8').includes('4')",
      "writeFileSync(out, readFileSync(isNew ? 'new.csv' : 'old.csv', 'utf8'))",
    ]
    write('score.cjs', script.join('\n'))
    write('new.csv', table(lines(0)))
    write('old.csv', table(lines(0.5)))
    await champion(table(lines(0.2)))
    write('test.csv', `x\n${Array.from({ length: ROWS }, (_, at) => at + 1).join('\n')}\n`)
    await challenger(table(lines(0)))
    const evaluate = `"${process.execPath}" score.cjs {model} {predictions} # {data}`
    const project = w.project({ gates: { production: gate(rules) }, evaluate })
    const request = { ref: parseModelRef(MODEL), stage: 'production', withoutApproval: true, test: 'test.csv' }
    const checks = (await checkGate(w.ctx, project, w.store, request)).gate.checks
    const note = (name: string) => checks.find((check) => check.name === name)?.note ?? ''
    assert.match(note('slice region'), /^churn-model@1 on the same rows of (north|south): 0\.[0-9]+$/)
    assert.match(note('compare_to'), /paired bootstrap on 60 rows/)

    // Rows that the command writes twice buy no certainty.
    const twice = [...lines(0, false), ...lines(0, false)]
    write('new.csv', table(twice, 'truth,score,region'))
    write('old.csv', table(twice, 'truth,score,region'))
    const again = (await checkGate(w.ctx, project, w.store, request)).gate.checks
    const said = again.find((check) => check.name === 'compare_to')?.note ?? ''
    assert.match(said, /not compared row by row: of what the evaluate command wrote there are answers on 120 rows/)
  })
})
