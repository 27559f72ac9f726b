/** What a reader must know before trusting a comparison: runs that go on, that broke off, that were measured on other rows. Pure. */
import type { DataRow } from './data.ts'
import type { RunFacts } from './facts.ts'
import { labelOf } from './rows.ts'

/** Names under which people declare the rows that metrics are measured on. */
const HELD_OUT = /(?:^|[_.\- ])(?:test|valid|validation|val|holdout|hold_out|eval|evaluation)(?:$|[_.\- ])/i

export function remarks(runs: readonly RunFacts[], data: readonly DataRow[]): string[] {
  return [...ofStatus(runs), ...ofIdentity(runs), ...ofHeldOutRows(runs, data)]
}

const ofStatus = (runs: readonly RunFacts[]): string[] =>
  runs.flatMap(({ status }, at) => {
    if (status === 'running') return [`${labelOf(at)} is still running: its values are those of now.`]
    if (status === 'interrupted') return [`${labelOf(at)} was interrupted: its values are the last that it recorded.`]
    return status === 'failed' ? [`${labelOf(at)} failed: its values may be those of a part.`] : []
  })

function ofIdentity(runs: readonly RunFacts[]): string[] {
  const first = new Map<string, number>()
  return runs.flatMap(({ run }, at) => {
    const before = first.get(run)
    if (before === undefined) first.set(run, at)
    return before === undefined ? [] : [`${labelOf(before)} and ${labelOf(at)} are one and the same run.`]
  })
}

/** On other rows the better model can have the worse number. */
function ofHeldOutRows(runs: readonly RunFacts[], data: readonly DataRow[]): string[] {
  const digests = runs.flatMap(({ testRows }) => (testRows === null ? [] : [testRows]))
  if (new Set(digests).size > 1) {
    return ['The held-out rows differ, so that a better metric does not prove a better model.']
  }
  if (digests.length === runs.length) return []
  const changed = data.filter(({ name, cells, same }) => !same && HELD_OUT.test(name) && !cells.includes(null))
  const names = changed.map(({ name }) => name).join(', ')
  return names === '' ? [] : [`The data ${names} differ, so that a better metric does not prove a better model.`]
}
