/** Who trained, registered, approved, promoted and rolled back a version, with their reasons: its history in deeds. Pure. */
import type { Approval } from '../../store/events.ts'
import type { ModelState } from '../../store/fold.ts'
import { type HistoryEntry, history } from '../versions/history.ts'
import type { RunDetail } from '../versions/version.ts'
import type { Deed } from './types.ts'

/** @param time RFC 3339 of the prediction. Oldest first */
export function people(state: ModelState, version: number, run: RunDetail | null, time: string): Deed[] {
  const trained: Deed[] = run === null ? [] : [trainedBy(run)]
  const deeds = history(state, { version })
    .reverse()
    .flatMap((entry) => deedsOf(entry, version))
  const all = [...trained, ...deeds]
  return all.map((deed) => ({ ...deed, after: deed.time !== null && deed.time > time }))
}

const trainedBy = ({ id, actor, started, host }: RunDetail): Deed => ({
  what: 'trained',
  detail: `run ${id} on ${host}`,
  name: actor.name,
  origin: actor.origin,
  url: actor.url ?? null,
  time: started,
  reason: null,
  after: false,
})

function deedsOf(entry: HistoryEntry, version: number): Deed[] {
  const { type, by, time, stage, from, reason } = entry
  const deed = { name: by.name, origin: by.origin, url: by.url ?? null, time, reason, after: false }
  const where = stage === null ? null : `in ${stage}`
  const approved = entry.approvals.map((approval) => approvedBy(approval, entry))
  if (type === 'register') return [{ ...deed, what: 'registered', detail: null }]
  if (type === 'approve') return approved
  if (type === 'promote' && entry.version === version) {
    const before = from === null || from === version ? '' : `, in place of @${from}`
    return [...approved, { ...deed, what: 'promoted', detail: `${where}${before}` }]
  }
  if (type === 'promote') return [{ ...deed, what: 'promoted', detail: `@${entry.version} ${where}, in its place` }]
  if (type === 'rollback') {
    return [{ ...deed, what: 'rolled back', detail: `${where} from @${from} to @${entry.version}` }]
  }
  if (type === 'rollout' && entry.rollout !== null) {
    const { action, weight } = entry.rollout
    const what = action === 'abort' ? `${where}: aborted` : `${where}: ${weight} % for @${entry.version}`
    return [...approved, { ...deed, what: 'rolled out', detail: what }]
  }
  return []
}

function approvedBy(approval: Approval, { stage, time, reason, type }: HistoryEntry): Deed {
  const why = approval.reason ?? (type === 'approve' ? reason : null)
  return {
    what: 'approved',
    detail: stage === null ? null : `for ${stage}`,
    name: approval.name,
    origin: approval.origin,
    url: approval.url ?? null,
    time: approval.time ?? time,
    reason: why,
    after: false,
  }
}
