/** Verifying the write-once records beside a model's log: its checks and its claims. */
import { type Digest, isDigest, sha256 } from '../core/digest.ts'
import { nameProblem } from '../core/names.ts'
import { readCheck } from './checks.ts'
import { BEAT, CLAIM_KINDS, readClaim } from './claims.ts'
import { checkKey, checksFolder, checksLog, modelFolder, numbered, numberOf } from './layout.ts'
import { referencedByCheck } from './references.ts'
import { verifyChain, verifyClaimFolder } from './verify-chains.ts'
import type { Findings } from './verify-findings.ts'

export async function verifyRecords(findings: Findings, genesis: Digest | undefined): Promise<void> {
  for (const { name, kind } of await findings.backend.list('models')) {
    if (kind !== 'folder' || nameProblem(name) !== undefined) continue
    await verifyChecks(findings, name, genesis)
    for (const scope of CLAIM_KINDS) await verifyClaims(findings, name, scope)
  }
}

async function verifyChecks(findings: Findings, model: string, genesis: Digest | undefined): Promise<void> {
  const links = await verifyChain(findings, checksLog(model), genesis, () => [`the list of checks of ${model}`])
  const listed = new Map(links.map(({ record }) => [String(record?.key), record?.sha256]))
  const found = new Set<string>()
  for (const { name, kind } of await findings.backend.list(checksFolder(model))) {
    const file = `${checksFolder(model)}/${name}`
    const key = name.slice(0, -'.json'.length)
    if (kind === 'folder' && name === 'log') continue
    if (kind === 'folder' && name.endsWith('.claim')) await verifyClaimFolder(findings, file)
    else if (kind !== 'file' || !isDigest(key)) findings.warn(file, 'it is not a check')
    else {
      found.add(key)
      await verifyCheck(findings, model, key, listed)
    }
  }
  for (const { record } of links) {
    const key = String(record?.key)
    if (record === undefined || found.has(key)) continue
    const time = `a check of ${model}`
    findings.damage(checkKey(model, key), 'missing', `${checksLog(model)} lists it`, [time])
  }
}

async function verifyCheck(
  findings: Findings,
  model: string,
  key: Digest,
  listed: Map<string, unknown>,
): Promise<void> {
  const file = checkKey(model, key)
  const bytes = await findings.get(file)
  if (bytes === undefined) return
  const check = readCheck(bytes, model, key)
  if (typeof check === 'string') return findings.damage(file, 'changed', check, [`a check of ${model}`])
  if (!listed.has(key)) findings.warn(file, 'the list of checks does not name it: its writer was stopped before that')
  else if (listed.get(key) !== sha256(bytes)) {
    findings.damage(file, 'inconsistent', 'its bytes are not those that the list of checks names', [
      `a check of ${model}`,
    ])
  }
  for (const { sha256: digest, what } of referencedByCheck(check.record)) {
    findings.want(digest, `a check of ${model}: ${what}`)
  }
}

/** Claims of one scope are numbered from 1 without gaps; scopes nest. */
async function verifyClaims(findings: Findings, model: string, scope: string): Promise<void> {
  const folder = `${modelFolder(model)}/${scope}`
  const numbers = new Set<number>()
  for (const { name, kind } of await findings.backend.list(folder)) {
    const file = `${folder}/${name}`
    const number = numberOf(name)
    if (kind === 'folder' && name.endsWith('.claim')) await verifyClaimFolder(findings, file)
    else if (kind === 'folder') await verifyClaims(findings, model, `${scope}/${name}`)
    else if (kind === 'file' && name === BEAT) continue
    else if (kind !== 'file' || number === undefined) findings.warn(file, 'it is not a claim')
    else {
      numbers.add(number)
      const bytes = await findings.get(file)
      const claim = bytes && readClaim(bytes, model, scope, number)
      if (typeof claim === 'string') findings.damage(file, 'changed', claim, [`${scope} of ${model}`])
    }
  }
  for (let n = 1; n < Math.max(0, ...numbers); n++) {
    if (numbers.has(n)) continue
    findings.damage(`${folder}/${numbered(n)}`, 'missing', 'later claims of its scope exist', [`${scope} of ${model}`])
  }
}
