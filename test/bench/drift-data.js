// The data of the drift bench: the same rows on every machine, drawn from hashes of the row number by DuckDB itself.
import { existsSync, linkSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** Uniform in [0, 1) and standard normal: draw number `k` (of 64) of row `i`. */
const uniform = (k) => `((hash(i * 64 + ${k} + $seed) >> 11)::DOUBLE / 9007199254740992.0)`
const normal = (k) => `(sqrt(-2 * ln(${uniform(k)} + 1e-300)) * cos(6.283185307179586 * ${uniform(k + 1)}))`
const pick = (k, n) => `CAST(floor(${uniform(k)} * ${n}) AS INTEGER)`

/** 20 columns as business tables have them; in the second file `shifted` has moved by 0.2 of its standard deviation. */
const MIXED = {
  normal: normal(0),
  shifted: `${normal(2)} * 15 + 100 + $shift * 15`,
  amount: `round(exp(${normal(4)} * 1.1 + 3), 2)`,
  uniform: uniform(6),
  sparse: `CASE WHEN ${uniform(7)} < 0.15 THEN NULL ELSE ${normal(8)} END`,
  balance: `CASE WHEN ${uniform(10)} < 0.7 THEN 0 ELSE round(${uniform(11)} * 500, 1) END`,
  age: `${pick(12, 80)} + 18`,
  tenure: `CAST(floor(-ln(${uniform(13)} + 1e-12) * 24) AS INTEGER)`,
  products: pick(14, 5),
  score: `CASE WHEN ${uniform(15)} < 0.05 THEN NULL ELSE ${pick(16, 1000)} END`,
  bytes: `CAST(floor(exp(${normal(17)}) * 1000) AS BIGINT)`,
  small: `${normal(19)} * 0.001`,
  plan: `['basic', 'plus', 'pro'][1 + ${pick(21, 3)}]`,
  region: `CASE WHEN ${uniform(22)} < 0.02 THEN NULL ELSE 'region-' || CAST(floor(${uniform(23)} ** 2 * 25) AS INTEGER) END`,
  shop: `'shop-' || CAST(floor(${uniform(24)} ** 2 * 4000) AS INTEGER)`,
  is_active: `${uniform(25)} < 0.4`,
  is_fraud: `${uniform(26)} < 0.03`,
  at: `TIMESTAMP '2025-01-01' + INTERVAL 1 SECOND * CAST(i % 31536000 AS INTEGER)`,
  customer_id: `'c-' || (i * 7919 + 1000000000)`,
  prediction: `1 / (1 + exp(-${normal(27)}))`,
}

const NUMERIC = Object.fromEntries(
  Array.from({ length: 10 }, (_, k) => [
    `x${k}`,
    k < 4
      ? normal(2 * k)
      : k < 6
        ? `exp(${normal(2 * k)})`
        : k < 8
          ? uniform(2 * k)
          : `floor(${uniform(2 * k)} * 1000)`,
  ]),
)

/** @returns paths of the reference and the current file, made when they are not there */
export async function mixedFiles(folder, rows, ending) {
  const files = []
  for (const [name, seed, shift] of [
    ['reference', 0, 0],
    ['current', 1_000_000_007_000, 0.2],
  ]) {
    files.push(await make(join(folder, `${name}-${rows}.${ending}`), MIXED, rows, seed, shift))
  }
  return files
}

/** 10 columns of doubles. */
export const numericFile = (folder, rows) => make(join(folder, `numeric-${rows}.parquet`), NUMERIC, rows, 0, 0)

/** A folder of `parts` parts: one file under many names. */
export function partsOf(file, folder, parts) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  for (let part = 0; part < parts; part++) linkSync(file, join(folder, `part-${String(part).padStart(4, '0')}.parquet`))
  return folder
}

async function make(path, columns, rows, seed, shift) {
  if (existsSync(path)) return path
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const list = Object.entries(columns).map(([name, sql]) => `${sql} AS "${name}"`)
  const select = list.join(', ').replaceAll('$seed', String(seed)).replaceAll('$shift', String(shift))
  const format = path.endsWith('.csv') ? 'FORMAT csv, HEADER' : 'FORMAT parquet'
  // Beside it and renamed: an interrupted run leaves no half file that the next one takes for whole.
  await connection.run(`COPY (SELECT ${select} FROM range(${rows}) t(i)) TO '${path}.part' (${format})`)
  renameSync(`${path}.part`, path)
  connection.closeSync()
  instance.closeSync()
  return path
}
