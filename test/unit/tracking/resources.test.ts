/** What a command has used, against what the command itself knows of it. Processor time and pages, never the clock. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { Resources } from '../../../src/store/run-records.ts'
import type { FamilySample } from '../../../src/tracking/capture/process-family.ts'
import { afterSample, type Use, watchResources } from '../../../src/tracking/capture/resources.ts'
import { needsPython, PYTHON } from '../../support/python.ts'
import { skipBecause } from '../../support/skip.ts'

const MIB = 1024 * 1024
const BURN = 'import time\ndef burn(s):\n  end = time.process_time() + s\n  while time.process_time() < end: pass\n'
const REPORT = `import resource, sys
def report():
  peak = next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("VmHWM")) * 1024
  both = [resource.getrusage(each) for each in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
  print(peak, sum(each.ru_utime + each.ru_stime for each in both))
`

describe('Memory and processor time of a command', () => {
  before(function () {
    if (process.platform !== 'linux') skipBecause(this, 'they are recorded on Linux alone')
    needsPython(this)
  })

  it('are those of one that takes a tenth of a second', async () => {
    const { used, said } = await run([PYTHON, '-c', `${BURN}${REPORT}x = b"a" * (50 << 20)\nburn(0.1)\nreport()`])
    near(used?.cpuSeconds, said[1], 0.06)
    near(used?.maxRssBytes, said[0], 3 * MIB)
    assert.equal(used?.memoryOf, 'family')
  })

  it('know the peak between two looks, after the memory was given back', async () => {
    const script = `${BURN}${REPORT}burn(0.2)\nx = bytearray(300 << 20)\nx[::4096] = b"a" * len(x[::4096])\ndel x\nburn(0.3)\nreport()`
    const { used, said } = await run([PYTHON, '-c', script])
    near(used?.maxRssBytes, said[0], 3 * MIB)
    assert.ok((used?.maxRssBytes ?? 0) > 300 * MIB)
  })

  it('count many short children, none of which is there for long', async () => {
    const one = `${PYTHON} -S -c 'import time\nwhile time.process_time() < 0.05: pass'`
    const { used } = await run([
      'sh',
      '-c',
      `for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do ${one}; done`,
    ])
    assert.ok((used?.cpuSeconds ?? 0) >= 0.9, JSON.stringify(used))
  })

  it('add workers, but count what they share once', async () => {
    const script = [
      `import os\n${BURN}${REPORT}x = b"a" * (200 << 20)`,
      'pids = []',
      'for i in range(4):',
      '  pid = os.fork()',
      '  if pid == 0:',
      '    own = b"b" * (30 << 20)\n    burn(0.4)\n    os._exit(0)',
      '  pids.append(pid)',
      'for pid in pids: os.waitpid(pid, 0)',
      'report()',
    ].join('\n')
    const { used, said } = await run([PYTHON, '-c', script])
    near(used?.cpuSeconds, said[1], 0.1)
    const most = used?.maxRssBytes ?? 0
    assert.ok(most > 290 * MIB && most < 400 * MIB, String(most / MIB))
  })

  it('count what another thread has started', async () => {
    const inThread = `threading.Thread(target=lambda: subprocess.run([sys.executable, "-c", ${JSON.stringify(`${BURN}x = b"a" * (120 << 20)\nburn(0.5)`)}])).start()`
    const { used } = await run([PYTHON, '-S', '-c', `import subprocess, sys, threading\n${inThread}`])
    assert.ok((used?.maxRssBytes ?? 0) > 120 * MIB && (used?.cpuSeconds ?? 0) >= 0.5, JSON.stringify(used))
  })

  it('follow a process whose parent has gone', async () => {
    const orphan = `${PYTHON} -c '${BURN}x = b"a" * (80 << 20)\nburn(0.6)\nopen("'$0'", "w")'`
    const { used } = await run(['sh', '-c', `(sleep 0.1; ${orphan}) & sleep 0.2; exec sleep 1`, '/dev/null'])
    assert.ok((used?.maxRssBytes ?? 0) > 80 * MIB, JSON.stringify(used))
  })

  it('leave memory out of a command that was gone at once, rather than say too little', async () => {
    const { used } = await run(['/bin/true'])
    assert.ok(used?.maxRssBytes === undefined || used.maxRssBytes > MIB, JSON.stringify(used))
    assert.ok((used?.cpuSeconds ?? 1) <= 0.1)
  })
})

describe('The account of what a command has used', () => {
  const sample = (more: Partial<FamilySample>): FamilySample => ({
    isThere: true,
    members: 1,
    ofCommand: 0,
    processor: 0,
    peakOfOne: 0,
    together: 0,
    waited: 0,
    others: [],
    ...more,
  })
  const begun: Use = {
    memory: 0,
    processor: 0,
    looks: 0,
    last: { sample: sample({ waited: 5 }), at: 0 },
    isOver: false,
  }
  const gone = (more: Partial<FamilySample>): FamilySample => sample({ isThere: false, members: 0, ...more })

  it('ends with what was waited for, which is exact', () => {
    const seen = afterSample(begun, sample({ ofCommand: 0.9, processor: 0.9, waited: 5 }), 1, 2)
    assert.equal(afterSample(seen, gone({ waited: 6.05 }), 1.1, 2).processor, 6.05 - 5)
  })

  it('does not take another child that ended in the same moment for the command', () => {
    const busy = sample({ ofCommand: 0.1, processor: 0.1, waited: 5, others: [77] })
    const seen = afterSample(begun, busy, 0.1, 2)
    assert.equal(afterSample(seen, gone({ waited: 5.25 }), 0.2, 2).processor, 0.1)
    assert.equal(afterSample(seen, gone({ waited: 5.25, others: [77, 78] }), 0.2, 2).processor, 0.25)
  })

  it('believes no figure that so many processors cannot reach in the time', () => {
    const seen = afterSample(begun, sample({ ofCommand: 0.1, processor: 0.1, waited: 5 }), 0.1, 2)
    assert.equal(afterSample(seen, gone({ waited: 6 }), 0.11, 2).processor, 0.1)
  })

  it('keeps the most of a command that ended unseen', () => {
    const seen = afterSample(begun, sample({ processor: 3, peakOfOne: 10, together: 30, waited: 5 }), 1, 2)
    const over = afterSample(seen, gone({ waited: 5 }), 2, 2)
    assert.deepEqual([over.memory, over.processor, over.isOver], [30, 3, true])
    assert.equal(afterSample(over, gone({ waited: 9 }), 3, 2).processor, 3)
  })
})

/** @returns what was recorded, and the numbers that the command printed of itself: peak, seconds */
async function run(command: readonly string[]): Promise<{ used: Resources | undefined; said: number[] }> {
  const child = spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] })
  const text: string[] = []
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => text.push(chunk))
  await new Promise((resolve) => child.once('spawn', resolve))
  const watch = watchResources(child.pid ?? 0)
  assert.equal(await new Promise((resolve) => child.once('close', resolve)), 0)
  return { used: watch.stop(), said: text.join('').trim().split(' ').map(Number) }
}

function near(value: number | undefined, expected: number | undefined, within: number): void {
  assert.ok(Math.abs((value ?? Number.NaN) - (expected ?? Number.NaN)) <= within, `${value}, not ${expected}`)
}
