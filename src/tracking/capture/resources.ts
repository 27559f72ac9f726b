/**
 * Memory and CPU of a process and its descendants, sampled from /proc once a second. Node has no `wait4`, so a command
 * shorter than the first sample has none; on other systems nothing is recorded rather than something wrong.
 */
import { readFileSync } from 'node:fs'
import type { RunEnd } from '../../store/run-records.ts'

const SAMPLE_MILLISECONDS = 1_000
/** sysconf(_SC_CLK_TCK) on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100
const MAX_PROCESSES = 512

export interface ResourceWatch {
  stop(): RunEnd['resources']
}

export function watchResources(pid: number): ResourceWatch {
  if (process.platform !== 'linux') return { stop: () => undefined }
  let maxRssBytes = 0
  /** By process: a worker that has ended keeps what it had used. */
  const cpu = new Map<number, number>()
  const sample = (): void => {
    let rss = 0
    for (const each of family(pid)) {
      const facts = readProcess(each)
      if (facts === undefined) continue
      rss += facts.rssBytes
      cpu.set(each, facts.cpuSeconds)
    }
    maxRssBytes = Math.max(maxRssBytes, rss)
  }
  const timer = setInterval(sample, SAMPLE_MILLISECONDS)
  timer.unref()
  return {
    stop() {
      clearInterval(timer)
      if (maxRssBytes === 0) return undefined
      const cpuSeconds = [...cpu.values()].reduce((sum, each) => sum + each, 0)
      return { maxRssBytes, cpuSeconds: Math.round(cpuSeconds * 100) / 100 }
    },
  }
}

function family(pid: number): number[] {
  const all = [pid]
  for (let at = 0; at < all.length && all.length < MAX_PROCESSES; at++) {
    const children = readText(`/proc/${all[at]}/task/${all[at]}/children`)
    for (const word of children?.split(' ') ?? []) if (word !== '') all.push(Number(word))
  }
  return all
}

function readProcess(pid: number): { rssBytes: number; cpuSeconds: number } | undefined {
  const rss = /^VmRSS:\s+(\d+) kB/m.exec(readText(`/proc/${pid}/status`) ?? '')?.[1]
  // The name stands in parentheses and may hold anything; the fields after it are numbers.
  const fields = readText(`/proc/${pid}/stat`)?.split(') ').at(-1)?.split(' ')
  if (rss === undefined || fields === undefined) return undefined
  return { rssBytes: Number(rss) * 1024, cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
