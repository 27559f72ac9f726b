/** The runs that a run started: whoever starts one writes nothing, so they are found among those of its time. */
import { ulid } from '../../core/ulid.ts'
import type { RunFolder, Store } from '../../store/store.ts'
import { type RunStatus, runStatus } from './status.ts'

export interface ChildRun {
  readonly run: string
  readonly status: RunStatus
  readonly started: string
  readonly command: readonly string[]
}

/** Milliseconds by which clocks of hosts that share a store may differ. */
const SLACK = 5 * 60_000

/** @param parent as read. @returns oldest first; runs that cannot be read are left out, as `run list` names them */
export async function childrenOf(
  store: Store,
  { start, end }: RunFolder,
  ids?: readonly string[],
): Promise<ChildRun[]> {
  const from = timePart(Date.parse(start.started) - SLACK)
  const until = end === undefined ? undefined : timePart(Date.parse(end.ended) + SLACK)
  const children: ChildRun[] = []
  for (const id of ids ?? (await store.runs.list())) {
    if (id.slice(0, 10) < from) break
    if (id === start.id || (until !== undefined && id.slice(0, 10) > until)) continue
    const folder = await store.runs.read(id).catch(() => undefined)
    if (folder?.start.parent !== start.id) continue
    const { started, command } = folder.start
    children.push({ run: id, status: runStatus(folder), started, command })
  }
  return children.reverse()
}

/** Of an id: it begins with the time. */
const timePart = (milliseconds: number): string => ulid(Math.max(0, milliseconds)).slice(0, 10)
