/** Verifying a hash-chained log: every link, without stopping at the first that is broken. */
import { type Digest, sha256 } from '../core/digest.ts'
import { numbered, numberOf } from './layout.ts'
import { type JsonObject, openSealed, sealProblem } from './sealed.ts'
import type { Findings } from './verify-findings.ts'

/** One place of a chain. `record` is undefined where the file is missing or cannot be trusted. */
export interface VerifiedLink {
  readonly seq: number
  readonly file: string
  readonly digest: Digest | undefined
  readonly record: JsonObject | undefined
}

/**
 * @param genesis what the first event's `prev` must be, or undefined when registry.json is lost
 * @param affects what depends on an event of this chain
 */
export async function verifyChain(
  findings: Findings,
  folder: string,
  genesis: Digest | undefined,
  affects: (seq: number) => string[],
): Promise<VerifiedLink[]> {
  const last = await highestNumber(findings, folder)
  const links: VerifiedLink[] = []
  let before: { digest: Digest | undefined; sound: boolean } = { digest: genesis, sound: true }
  for (let seq = 1; seq <= last; seq++) {
    const file = `${folder}/${numbered(seq)}`
    const bytes = await findings.get(file)
    if (bytes === undefined) {
      findings.damage(file, 'missing', `event ${seq} is gone although later ones exist`, affects(seq))
      links.push({ seq, file, digest: undefined, record: undefined })
      before = { digest: undefined, sound: false }
      continue
    }
    const digest = sha256(bytes)
    const broken = sealProblem(bytes)
    const record = openSealed(bytes)
    const trusted = broken === undefined && record !== undefined
    if (!trusted) findings.damage(file, 'changed', broken ?? 'it is no event', affects(seq))
    else if (record.seq !== seq) findings.damage(file, 'misplaced', `it is event ${String(record.seq)}`, affects(seq))
    else if (before.digest !== undefined && before.sound && record.prev !== before.digest) {
      blameBoth(findings, folder, seq, affects)
    }
    links.push({ seq, file, digest, record: findings.isDamaged(file) ? undefined : record })
    before = { digest, sound: trusted && !findings.isDamaged(file) }
  }
  return links
}

/** Both files are whole by themselves, so one of the two was put there by somebody who knows the format. */
function blameBoth(findings: Findings, folder: string, seq: number, affects: (seq: number) => string[]): void {
  const before = seq === 1 ? 'registry.json' : `${folder}/${numbered(seq - 1)}`
  const file = `${folder}/${numbered(seq)}`
  const why = `"prev" of ${file} is not the digest of ${before}: one of the two was replaced`
  findings.damage(file, 'inconsistent', why, affects(seq))
  findings.damage(before, 'inconsistent', why, seq === 1 ? ['the whole store'] : affects(seq - 1))
}

async function highestNumber(findings: Findings, folder: string): Promise<number> {
  let last = 0
  for (const { name, kind } of await findings.backend.list(folder)) {
    const number = numberOf(name)
    if (number !== undefined && kind === 'file') last = Math.max(last, number)
    else if (kind === 'folder' && name.endsWith('.claim')) await verifyClaimFolder(findings, `${folder}/${name}`)
    else findings.warn(`${folder}/${name}`, 'it is not part of a log')
  }
  return last
}

/** The traces of a disk without hard links: each holds the bytes of the file beside it (docs/store-format.md). */
export async function verifyClaimFolder(findings: Findings, folder: string): Promise<void> {
  const target = folder.slice(0, -'.claim'.length)
  const [claimed, bytes] = await findings.backend.getMany([`${folder}/bytes`, target])
  if (claimed === undefined) findings.warn(folder, 'it is an empty claim')
  else if (bytes !== undefined && !claimed.equals(bytes)) {
    findings.damage(`${folder}/bytes`, 'changed', `it differs from ${target}, which was copied from it`)
  }
}
