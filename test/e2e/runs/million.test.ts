/** A run of a million metric lines: recorded, shown and listed in a heap that could not hold them. */
import assert from 'node:assert/strict'
import { closeSync, openSync, writeSync } from 'node:fs'
import { mlops, tempProject } from '../harness.ts'

const LINES = 1_000_000
/** Megabytes; the lines as objects take several hundred. */
const HEAP = { NODE_OPTIONS: '--max-old-space-size=64' }

describe('A run of a million metric lines', () => {
  it('is tracked, shown and listed in a heap of 64 MB, with its one spike', async () => {
    const project = tempProject()
    await mlops(['init', '--yes', '--no-input'], { cwd: project.dir })
    const fd = openSync(project.path('lines.jsonl'), 'w')
    const begin = Date.parse('2026-11-21T09:00:00.000Z')
    for (let from = 0; from < LINES; from += 10_000) {
      const lines = Array.from({ length: 10_000 }, (_, at) => {
        const n = from + at
        const value = n === 777_777 ? 99 : 1 / (n + 1)
        return `{"key":"${n % 2 === 0 ? 'val/loss' : 'loss'}","step":${n >> 1},"t":"${new Date(begin + n).toISOString()}","value":${value}}\n`
      })
      writeSync(fd, lines.join(''))
    }
    closeSync(fd)
    const script = 'mkdir -p "$MLOPS_RUN_DIR/metrics" && mv lines.jsonl "$MLOPS_RUN_DIR/metrics/mine.jsonl"'
    await project.mlops(['track', '--', 'sh', '-c', script], { env: HEAP })
    const { data } = (await project.mlops(['run', 'show', '--json'], { env: HEAP })).json
    const loss = data.series.find(({ key }: { key: string }) => key === 'loss')
    assert.deepEqual([loss.count, loss.max, loss.hasSteps], [LINES / 2, 99, true])
    assert.ok(loss.points.length <= 400)
    assert.ok(loss.points.some(({ x, value }: { x: number; value: number }) => x === 388_888 && value === 99))
    assert.equal(data.metrics.loss, 1 / LINES)
    const list = (await project.mlops(['run', 'list', '--json'], { env: HEAP })).json.data
    assert.deepEqual(list.runs[0].metrics, data.metrics)
  })
})
