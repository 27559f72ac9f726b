/** When a check of the same window is the same check, so that it is stored once and alerted once. */
import assert from 'node:assert/strict'
import type { QualityResult } from '../../../src/drift/types.ts'
import { windowKey } from '../../../src/monitor/window-key.ts'

const stats = { requests: 100, errors: 1, latency: { count: 100, p50: 10, p95: 19, p99: 20 } }
const quality = (value: number, labelled = 50): QualityResult => ({
  verdict: 'ok',
  rows: 100,
  labelled,
  metrics: [{ metric: 'log_loss', value, reference: null, verdict: 'inconclusive' }],
  summary: '',
})
const key = (value: number, labelled?: number) => windowKey({ quality: quality(value, labelled) }, stats).service

describe('The key of a window', () => {
  it('is the same where threads added the same figures in another order', () => {
    // Two readings of the same million records.
    assert.equal(key(0.5004256188826324), key(0.5004256188826233))
  })

  it('is another one with other labels, failures or rows left out', () => {
    const keys = [
      key(0.50042),
      key(0.50043),
      key(0.50042, 51),
      windowKey({ quality: quality(0.50042) }, { ...stats, errors: 2 }).service,
      windowKey({ quality: quality(0.50042), leftOut: 3 }, stats).service,
      windowKey({}, stats).service,
    ]
    assert.equal(new Set(keys).size, keys.length)
  })
})
