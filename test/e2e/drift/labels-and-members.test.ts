/** A window of the log whose labels are spelled otherwise, whose columns were renamed, and whose service says who asked. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { type TempProject, tempProject } from '../harness.ts'
import { customersCsv, log, MODEL } from './logged.ts'

describe('A window of the log', function () {
  this.timeout(180_000)
  let project: TempProject
  const folder = () => project.path('.mlops', 'predictions', MODEL)
  /** Rewrites every record. */
  const change = (edit: (text: string) => string) => {
    for (const day of readdirSync(folder()).filter((name) => name.startsWith('date='))) {
      for (const file of readdirSync(`${folder()}/${day}`).filter((name) => name.endsWith('.jsonl'))) {
        const path = `.mlops/predictions/${MODEL}/${day}/${file}`
        project.write(path, project.read(path).replace(/^.+$/gm, edit))
      }
    }
  }

  before(async () => {
    project = tempProject({
      'mlops.yaml': `models:\n  ${MODEL}:\n    schema: {target: churned}\n    gates: {production: {approval: 1}}\n`,
      // Without a score: answers have nothing to be compared with.
      'train.csv': customersCsv(4_000, 11)
        .replace(/,[\d.]+,1$/gm, ',Yes')
        .replace(/,[\d.]+,0$/gm, ',No')
        .replace('churn_probability,', ''),
      'model.bin': 'weights',
    })
    await project.mlops(['init', '--yes'])
    await project.mlops(['register', MODEL, '--artifact', 'model.bin', '--baseline', 'train.csv'])
    await project.mlops(['promote', `${MODEL}@1`, '--to', 'production', '--approve', 'ada'])
    log(project, { days: [4, 3, 2, 1] })
    change((line) => {
      const record = JSON.parse(line)
      const isEven = Number(record.id.split('-')[2]) % 2 === 0
      return JSON.stringify({
        ...record,
        segment: isEven ? 'retail' : 'business',
        tags: { 'sh op': isEven ? 'a' : 'b' },
      })
    })
  })

  it('reads labels 0 and 1 as the No and Yes of the training data, and says so', async () => {
    const ids = [4, 3, 2, 1].flatMap((day) => Array.from({ length: 400 }, (_, i) => `${day}-a-${i},${i % 2}`))
    project.write('labels.csv', `id,label\n${ids.join('\n')}\n`)
    await project.mlops(['predictions', 'label', MODEL, 'labels.csv'])
    const { json } = await project.mlops(['drift', MODEL, '--window', '5d', '--fail-on', 'never', '--json'])
    const target = json.data.columns.find(({ column }: { column: string }) => column === 'churned')
    assert.equal(target.type, 'categorical')
    assert.notEqual(target.verdict, 'broken')
    assert.notEqual(target.verdict, 'skipped')
    assert.match(json.data.notes.join('\n'), /the labels of churned are read as its classes: 0 as No, 1 as Yes/)
  })

  it('says how the answers could be compared', async () => {
    const { json } = await project.mlops(['drift', MODEL, '--window', '5d', '--fail-on', 'never', '--json'])
    assert.match(
      json.data.notes.join('\n'),
      /not compared: "prediction"\. To compare the answers, register .*--prediction COLUMN/,
    )
  })

  it('is looked at by what the service said of each request', async () => {
    const by = async (column: string) =>
      (
        await project.mlops([
          'drift',
          MODEL,
          '--window',
          '2d',
          '--against',
          'previous',
          '--by',
          column,
          '--json',
          '--fail-on',
          'never',
        ])
      ).json.data
    const segment = await by('segment')
    assert.deepEqual(segment.segments.results.map(({ value }: { value: string }) => value).sort(), [
      'business',
      'retail',
    ])
    assert.doesNotMatch(
      segment.notes.join('\n'),
      /"segment"/,
      'what rows are looked at by is no column that is lacking',
    )
    assert.equal(
      segment.columns.some(({ column }: { column: string }) => column === 'segment'),
      false,
    )
    assert.deepEqual((await by('tags.sh op')).segments.results.map(({ value }: { value: string }) => value).sort(), [
      'a',
      'b',
    ])
    const none = await project.mlops(
      ['drift', MODEL, '--window', '2d', '--against', 'previous', '--by', 'user', '--json'],
      { code: 4 },
    )
    assert.equal(none.json.error?.code, 'SEGMENT_COLUMN_MISSING')
  })

  it('says why a baseline has no such rows, and what to type instead', async () => {
    const { json } = await project.mlops(['drift', MODEL, '--window', '2d', '--by', 'segment', '--json'], { code: 4 })
    assert.equal(json.error?.code, 'SEGMENT_COLUMN_MISSING')
    assert.match(json.error?.message ?? '', /training data, which have no such column/)
    assert.match(json.error?.hint ?? '', new RegExp(`mlops drift ${MODEL} --by segment --against previous`))
  })

  it('names the column that was renamed, and status advises what the check advised', async () => {
    project.write('renamed.csv', customersCsv(1_000, 12).replace('tenure', 'Tenure'))
    const batch = await project.mlops(['drift', MODEL, '--current', 'renamed.csv', '--json'], { code: 3 })
    assert.match(batch.json.data.summary, /tenure: missing from the batch; did you mean Tenure\?/)
    const status = await project.mlops(['status', '--json'])
    assert.equal(status.json.data.next.command, batch.json.data.next)
    assert.match(status.json.data.next.why, /tenure .*mend/)
    change((line) => line.replace('"tenure"', '"Tenure"'))
    const window = await project.mlops(['drift', MODEL, '--window', '5d', '--json'], { code: 3 })
    assert.match(window.json.data.notes.join('\n'), /no record has tenure; did you mean Tenure\?/)
  })

  it('warns of labels that are no class of the training data, and joins them all the same', async () => {
    project.write('odd.csv', 'id,label\n4-a-0,maybe\n4-a-1,1\n')
    const { json, stderr } = await project.mlops(['predictions', 'label', MODEL, 'odd.csv', '--json'])
    assert.deepEqual([json.data.odd, json.data.changed], [['maybe'], 1])
    assert.match(`${stderr}${JSON.stringify(json)}`, /none of the training data \(\S+, \S+\): maybe/)
  })

  it('under a name that is no model is mentioned by status, with the model that was meant', async () => {
    log(project, { model: 'churn-modle', days: [1], rows: 5 })
    const { stdout } = await project.mlops(['status'])
    assert.match(
      stdout.replace(/\s+/g, ' '),
      /predictions are logged as churn-modle, which is no model: did you mean churn-model\?/,
    )
    const { json } = await project.mlops(['status', '--json'])
    assert.deepEqual(json.data.strays, [{ name: 'churn-modle', meant: 'churn-model' }])
    const told = await project.mlops(['notify', 'test', 'stdout', '--model', 'churn-modle', '--json'], { code: 4 })
    assert.equal(told.json.error?.code, 'MODEL_NOT_FOUND')
    assert.match(told.json.error?.hint ?? '', /Did you mean churn-model\?/)
  })
})
