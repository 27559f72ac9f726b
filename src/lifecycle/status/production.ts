/** Which version is in production, since when, who put it there, trained by which run, on which data. Pure. */
import type { Digest } from '../../core/digest.ts'
import { type Approval, isMove } from '../../store/events.ts'
import type { ModelState } from '../../store/fold.ts'
import { PRODUCTION } from '../gate/rules.ts'
import { eventAt, standing } from '../operation.ts'
import { approvalsOfEvent } from '../versions/history.ts'
import type { VersionDetail } from '../versions/version.ts'

export interface ProductionStatus {
  readonly version: number
  readonly manifest: Digest
  readonly since: string
  /** Who put it there, and how: a rollback needs no approval. */
  readonly by: string
  readonly move: 'promote' | 'rollback'
  /** The version that was there before: the one that was given up, when it was a rollback. */
  readonly from: number | null
  readonly approvals: readonly Approval[]
  readonly reason: string | null
  readonly run: string | null
  readonly data: { readonly name: string; readonly sha256: Digest; readonly rows: number | null } | null
  readonly code: { readonly commit: string | null; readonly branch: string | null; readonly dirty: boolean } | null
}

/** @param detail of the version in production. @returns null while none is there */
export function productionOf(state: ModelState, detail: VersionDetail): ProductionStatus | null {
  const entry = standing(state, PRODUCTION)
  const event = entry === null ? undefined : eventAt(state, entry.seq)
  if (entry === null || event === undefined) return null
  const trained = detail.data.find(({ name }) => name === 'train') ?? detail.baseline?.data ?? detail.data[0]
  const { code } = detail
  return {
    version: entry.version,
    manifest: entry.manifest,
    since: entry.since,
    by: entry.by,
    move: event.type === 'rollback' ? 'rollback' : 'promote',
    from: isMove(event) ? event.body.from : null,
    approvals: approvalsOfEvent(event),
    reason: isMove(event) ? (event.body.reason ?? null) : null,
    run: detail.run?.id ?? null,
    data: trained === undefined ? null : { name: trained.name, sha256: trained.sha256, rows: trained.rows ?? null },
    code: code === null ? null : { commit: code.commit, branch: code.branch, dirty: code.dirty },
  }
}
