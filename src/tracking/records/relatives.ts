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
/** Runs that are read at once. */
const BATCH = 500

/** @param parent as read. @returns oldest first; runs that cannot be read are left out, as `run list` names them */
export async function childrenOf(
  store: Store,
  { start, end }: RunFolder,
  ids?: readonly string[],
): Promise<ChildRun[]> {
  const from = timePart(Date.parse(start.started) - SLACK)
  const until = end === undefined ? undefined : timePart(Date.parse(end.ended) + SLACK)
  const children: ChildRun[] = []
  const all = ids ?? (await store.runs.list())
  const near = all.filter(
    (id) => id !== start.id && id.slice(0, 10) >= from && (until === undefined || id.slice(0, 10) <= until),
  )
  for (let at = 0; at < near.length; at += BATCH) {
    const batch = near.slice(at, at + BATCH)
    const ended = await store.runs.readEnded(batch)
    for (const [index, id] of batch.entries()) {
      const folder = ended[index] ?? (await store.runs.read(id).catch(() => undefined))
      if (folder?.start.parent !== start.id) continue
      const { started, command } = folder.start
      children.push({ run: id, status: runStatus(folder), started, command })
    }
  }
  return children.reverse()
}

/** Of an id: it begins with the time. */
const timePart = (milliseconds: number): string => ulid(Math.max(0, milliseconds)).slice(0, 10)
