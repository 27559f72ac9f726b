/**
 * How often the intervals of src/evaluation/ hold the truth, in full size: `npm run simulate:evaluation`. Prints the tables
 * of docs/evaluation.md as Markdown. Takes a quarter of an hour; the same every time.
 */
import { coverageOf, type Population, parityCoverage } from './evaluation-draws.ts'

const REPETITIONS = Number(process.env.REPETITIONS ?? 2_000)
const percent = (share: number | null): string => (share === null ? '–' : (100 * share).toFixed(1))

const POPULATIONS: readonly (readonly [string, Population])[] = [
  ['no difference, 50 % positive', { share: 0.5, ours: 1.5, theirs: 1.5 }],
  ['better, 50 % positive', { share: 0.5, ours: 2, theirs: 1.5 }],
  ['better, 10 % positive', { share: 0.1, ours: 2, theirs: 1.5 }],
]

console.log('| rows | population | AUC | DeLong | accuracy | log loss | p < 5 %: DeLong | McNemar |')
console.log('|---|---|---|---|---|---|---|---|')
for (const rows of [30, 50, 100, 300]) {
  for (const [name, population] of POPULATIONS) {
    const of = (metric: 'auc' | 'accuracy' | 'log_loss') =>
      coverageOf(population, metric, { rows, repetitions: REPETITIONS, seed: rows })
    const [auc, accuracy, loss] = [of('auc'), of('accuracy'), of('log_loss')]
    const cells = [auc.bootstrap, auc.deLong, accuracy.bootstrap, loss.bootstrap, auc.rejected, accuracy.rejected]
    console.log(`| ${rows} | ${name} | ${cells.map(percent).join(' | ')} |`)
  }
}

console.log('\n| rows | rates of the groups | demographic parity |')
console.log('|---|---|---|')
for (const rows of [200]) {
  for (const rates of [
    [0.3, 0.3],
    [0.2, 0.3],
    [0.1, 0.2, 0.3, 0.4],
    [0.3, 0.3, 0.3, 0.3],
  ]) {
    const coverage = parityCoverage(rates, { rows, repetitions: REPETITIONS, seed: rows })
    console.log(`| ${rows} | ${rates.join(', ')} | ${percent(coverage)} |`)
  }
}
