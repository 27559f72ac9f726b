/**
 * The budget of profiling: DuckDB's own count/min/max/avg scan of a Parquet file of doubles, and our profile of it, as a
 * batch and as a baseline. One of them per process, so that the peak memory is its own:
 *   node --import tsx test/bench/drift-profile.ts scan|baseline|batch FILE [PROFILE]
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { profileBaseline, profileBatch } from '../../src/drift/baseline.ts'
import { parseProfile } from '../../src/drift/profile.ts'

const [what = '', name = '', profile = ''] = process.argv.slice(2)
const cwd = process.cwd()

async function scan(): Promise<void> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:', { threads: String(availableParallelism()) })
  const connection = await instance.connect()
  const columns = Array.from({ length: 10 }, (_, k) => `count(x${k}), min(x${k}), max(x${k}), avg(x${k})`)
  await connection.run(`SELECT ${columns.join(', ')} FROM read_parquet('${resolve(name)}')`)
}

async function baseline(): Promise<void> {
  const { bytes } = await profileBaseline(name, { cwd, schema: { columns: {} } })
  writeFileSync(profile, bytes)
}

const batch = async () => {
  await profileBatch(parseProfile(readFileSync(profile), profile), name, { cwd })
}

const work = { scan, baseline, batch }[what]
if (work === undefined) throw new Error(`${what} is none of scan, baseline, batch`)
// Loaded before the clock starts, for all three alike.
await import('@duckdb/node-api')
const before = process.cpuUsage()
const started = performance.now()
await work()
const seconds = (performance.now() - started) / 1000
const { user, system } = process.cpuUsage(before)
console.log(JSON.stringify({ seconds, cpu: (user + system) / 1e6, megabytes: process.resourceUsage().maxRSS / 1024 }))
