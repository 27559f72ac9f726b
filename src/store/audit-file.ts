/**
 * An audit export as a file: put there whole or not at all, never in the place of anything but an older export of the
 * same store that this one continues. Reading one back is in `audit-compare.ts`.
 */
import { randomBytes } from 'node:crypto'
import { open, rename, rm, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { failed, isMlopsError, systemCode, usage } from '../core/errors.ts'
import { type AuditRequest, type AuditSummary, auditLines } from './audit.ts'
import { differences, readAudit } from './audit-compare.ts'

/** Bytes gathered before a write. */
const PIECE = 1 << 18

/**
 * @param target absolute
 * @throws usage `FILE_EXISTS`, failed `HISTORY_CONTRADICTED`, `FILE_UNWRITABLE`; as `auditLines`
 */
export async function writeAudit(root: string, target: string, request: AuditRequest): Promise<AuditSummary> {
  await assertReplaceable(root, target)
  const temporary = `${target}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const file = await open(temporary, 'wx')
    let summary: AuditSummary
    try {
      summary = await eachPiece(auditLines(root, request), (piece) => file.writeFile(piece))
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, target)
    return summary
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw isMlopsError(error) || systemCode(error) === undefined ? error : unwritable(target, error)
  }
}

/** Lines in pieces that are worth a write. @returns what the lines were */
export async function eachPiece(
  lines: AsyncGenerator<Buffer, AuditSummary>,
  write: (piece: Buffer) => Promise<unknown>,
): Promise<AuditSummary> {
  let held: Buffer[] = []
  let size = 0
  for (;;) {
    const next = await lines.next()
    if (next.done === true) {
      if (size > 0) await write(Buffer.concat(held))
      return next.value
    }
    held.push(next.value)
    size += next.value.length
    if (size < PIECE) continue
    await write(Buffer.concat(held))
    held = []
    size = 0
  }
}

/** An export is an anchor: one that tells another story than the store does now is worth more than the new one. */
async function assertReplaceable(root: string, target: string): Promise<void> {
  const found = await stat(target).catch(() => undefined)
  if (found === undefined) return
  const exists = (why: string): Error =>
    usage({
      code: 'FILE_EXISTS',
      message: `${target} exists and ${why}; it was left as it is.`,
      hint: 'Name another file: --output FILE',
    })
  if (!found.isFile()) throw exists('is no file')
  const audit = await readAudit(target).catch(() => undefined)
  if (audit === undefined) throw exists('is no whole audit export')
  const [first] = await differences(root, audit)
  if (first === undefined) return
  throw failed({
    code: 'HISTORY_CONTRADICTED',
    message: `${basename(target)} tells another story than the store: ${first.file}: ${first.why}. It was kept, and nothing was exported.`,
    hint: `See where they differ: mlops store verify --against ${target}`,
  })
}

const unwritable = (target: string, error: unknown): Error =>
  failed({
    code: 'FILE_UNWRITABLE',
    message: `${target} cannot be written (${systemCode(error)}); nothing was left there.`,
    hint: 'Check the folder, its permissions and its free space, or name another file: --output FILE',
    cause: error,
  })
