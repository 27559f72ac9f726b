/** What counts as a metric in a command's output, and what must not. */
import assert from 'node:assert/strict'
import { createLineScanner, MAX_LINE } from '../../../src/tracking/values/line-scanner.ts'
import { readPrintedLine } from '../../../src/tracking/values/printed-values.ts'

const metricsOf = (line: string) =>
  Object.fromEntries(readPrintedLine(line).metrics.map(({ key, value }) => [key, value]))

describe('A printed line', () => {
  it('is a metric when it is a name and a number', () => {
    const lines: [string, string, number][] = [
      ['auc: 0.91', 'auc', 0.91],
      ['  val/loss = 1.5e-3  ', 'val/loss', 0.0015],
      ['f1=.5', 'f1', 0.5],
      ['Accuracy: +1', 'Accuracy', 1],
      ['n_rows: 7043', 'n_rows', 7043],
      ['delta: -0.25', 'delta', -0.25],
      ['\u001b[32mauc\u001b[0m: \u001b[1m0.91\u001b[0m', 'auc', 0.91],
    ]
    for (const [line, key, value] of lines) assert.deepEqual(metricsOf(line), { [key]: value }, line)
  })

  it('is metrics when all of it is names and numbers, and their step when it counts', () => {
    const lines: [string, Record<string, number>, number | undefined][] = [
      ['Epoch 1/2 - loss: 0.5', { loss: 0.5 }, 1],
      ['Epoch 3/10 - loss: 0.5 - acc: 0.9', { loss: 0.5, acc: 0.9 }, 3],
      ['f1=0.5, auc=0.7', { f1: 0.5, auc: 0.7 }, undefined],
      ['[epoch 7] train/loss = 1e-3 | val/loss = nan', { 'train/loss': 0.001, 'val/loss': Number.NaN }, 7],
      ['step: 100, loss: 0.5', { loss: 0.5 }, 100],
      ['epoch=2 loss=0.5 acc=.9', { loss: 0.5, acc: 0.9 }, 2],
      ['Step 12: loss=-0.5; mae=2', { loss: -0.5, mae: 2 }, 12],
      ['Iteration 3, loss = 0.25', { loss: 0.25 }, 3],
      ['Epoch 004: | Loss: 0.25 | Acc: 90.5', { Loss: 0.25, Acc: 90.5 }, 4],
      ['[100]\ttrain-auc:0.91\teval-auc:0.85', { 'train-auc': 0.91, 'eval-auc': 0.85 }, 100],
    ]
    for (const [line, values, step] of lines) {
      const { metrics } = readPrintedLine(line)
      assert.deepEqual(metricsOf(line), values, line)
      for (const each of metrics) assert.equal(each.step, step, line)
    }
  })

  it('keeps NaN and infinities, as Python and R write them', () => {
    assert.deepEqual(metricsOf('loss: nan'), { loss: Number.NaN })
    assert.deepEqual(metricsOf('loss=-inf'), { loss: Number.NEGATIVE_INFINITY })
    assert.deepEqual(metricsOf('loss: Infinity'), { loss: Number.POSITIVE_INFINITY })
  })

  it('is no metric when it is a log line, a time, a path, a table or a sentence', () => {
    const lines = [
      'INFO: 3',
      'WARNING: 12',
      '12:30:45',
      '2026-11-21 09:14:03: 7',
      'Epoch 1/10 - 3s - loss: 0.5',
      'Epoch 1/10 - loss: 0.5 - acc: 90%',
      'Epoch 1/10',
      '[100] loss: 0.5, acc: 0.9',
      "[100]\tvalid_0's auc: 0.9",
      'Epoch 3: 50%|#####     | 5/10 [00:01<00:01, loss=0.5]',
      '10/10 - 1s 2ms/step - accuracy: 0.9 - loss: 0.3',
      'loss: 0.5, acc: 0.9 (best)',
      'loss: 0.5s, acc: 0.9',
      'loss: 0.5, loss: 0.4',
      'INFO: loss: 0.5, acc: 0.9',
      'line: 3, col: 4',
      'date: 2026-11-21, time: 12:30:45',
      'Using f1=0.5, auc=0.7',
      'Model(depth=3, width=4)',
      'loss: 0.5, acc:',
      'loss 0.5, acc 0.9',
      'best epoch 3: loss: 0.5',
      'a: 1.2.3, b: 4',
      'a: 1/2, b: 4',
      'a: 1,000, b: 4',
      'trained on 5000 customers, tested on 2043',
      'Accuracy: 95.2%',
      'auc: 0.91 (+/- 0.02)',
      'model saved to: 7/model.joblib',
      'http: 404',
      '    accuracy                           0.95       100',
      '  0%|          | 0/100 [00:00<?, ?it/s]',
      'shape: (100, 3)',
      'version: 1.2.3',
      'key: 0x1F',
      'this has spaces: 5',
      `${'k'.repeat(65)}: 5`,
      ': 5',
      '5: 5',
      '',
    ]
    for (const line of lines) assert.deepEqual(readPrintedLine(line), { metrics: [], params: [] }, line)
  })

  it('is metrics when it is a JSON object with numbers, with the step they belong to', () => {
    assert.deepEqual(readPrintedLine('{"auc": 0.91, "epoch": 3, "model": "rf", "ok": true}').metrics, [
      { key: 'auc', value: 0.91, step: 3 },
    ])
    assert.deepEqual(readPrintedLine('{"metric": "auc", "value": NaN, "step": 7}').metrics, [
      { key: 'auc', value: Number.NaN, step: 7 },
    ])
    assert.deepEqual(metricsOf('{"train": {"loss": 0.5}, "note": "NaN"}'), { 'train.loss': 0.5 })
  })

  it('gives parameters when it names them', () => {
    const values = readPrintedLine('{"params": {"depth": 4, "kind": "rf", "on": false}, "metrics": {"auc": 1}}')
    assert.deepEqual(values.params, [
      { key: 'depth', value: 4 },
      { key: 'kind', value: 'rf' },
      { key: 'on', value: false },
    ])
    assert.deepEqual(values.metrics, [{ key: 'auc', value: 1 }])
  })

  it('is no metric when it is the record of a logger, a list, or broken JSON', () => {
    for (const line of [
      '{"level": 30, "time": 1700000000000, "pid": 12, "msg": "epoch done"}',
      '{"levelname": "INFO", "lineno": 12}',
      '[1, 2, 3]',
      '{"auc": 0.9',
      '{auc: 0.9}',
      '{}',
    ]) {
      assert.deepEqual(readPrintedLine(line), { metrics: [], params: [] }, line)
    }
  })
})

describe('The scanner of output', () => {
  const scan = (chunks: readonly (string | Buffer)[]): string[] => {
    const lines: string[] = []
    const scanner = createLineScanner((line) => lines.push(line))
    for (const chunk of chunks) scanner.feed(Buffer.from(chunk))
    scanner.end()
    return lines
  }

  it('finds the same lines however the bytes are cut', () => {
    const text = Buffer.from('ä auc: 0.9\nno value\r\nloss = 1\r\n{"a": 1}\nlast: 2')
    const whole = scan([text])
    assert.deepEqual(whole, ['ä auc: 0.9', 'loss = 1', '{"a": 1}', 'last: 2'])
    for (let cut = 1; cut < text.length; cut++) {
      assert.deepEqual(scan([text.subarray(0, cut), text.subarray(cut)]), whole, `cut at ${cut}`)
    }
  })

  it('takes the states of a progress bar as lines', () => {
    assert.deepEqual(scan(['\r 10%: a', '\r 20%: b\rloss: 3\n']), [' 10%: a', ' 20%: b', 'loss: 3'])
  })

  it('leaves out a line that never ends, and goes on after it', () => {
    const endless = 'x: '.padEnd(3 * MAX_LINE, 'y')
    assert.deepEqual(scan([endless, endless, '\nauc: 1\n']), ['auc: 1'])
  })

  it('lets bytes that are no text pass', () => {
    assert.deepEqual(scan([Buffer.from([0xff, 0xfe, 58, 0, 10]), 'auc: 1\n']).at(-1), 'auc: 1')
  })
})
