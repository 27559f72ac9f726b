/** Checks of a gate on what is recorded with a version: files, baseline, run, data, the scan, rows trained on. Pure. */
import type { GateCheck } from '../../store/events.ts'
import type { Manifest, ManifestFile } from '../../store/manifest.ts'
import { overlapText } from '../register/overlap-evidence.ts'
import type { GateFacts } from './facts.ts'
import { percent, rowsText } from './numbers.ts'
import { type GateRules, PRODUCTION } from './rules.ts'

export function presenceChecks(rules: GateRules, { challenger, modelBaseline }: GateFacts): GateCheck[] {
  const { manifest, run } = challenger
  const checks: GateCheck[] = []
  const production = rules.stage === PRODUCTION
  if (production && manifest.files.length === 0) {
    const note = 'a version without files cannot serve; register one with --artifact or from a run that has one'
    checks.push({ name: 'artifact', required: 'present', actual: 'no artifact', verdict: 'fail', note })
  }
  const baseline = manifest.baseline !== undefined || modelBaseline
  if (rules.baseline === 'required') {
    const actual = manifest.baseline !== undefined ? 'present' : modelBaseline ? "the model's own" : 'missing'
    checks.push(presence('baseline', baseline, actual, 'register it with --baseline DATA'))
  } else if (production && !baseline && rules.risk !== 'low') {
    const note = 'without a baseline its drift cannot be checked; register with --baseline DATA'
    checks.push({ name: 'baseline', required: 'optional', actual: 'missing', verdict: 'pass', note })
  }
  if (rules.run === 'required') {
    checks.push(presence('run', run !== undefined, run?.id ?? 'missing', 'register it with --run RUN'))
  }
  if (rules.dataHash === 'required') {
    const known = manifest.baseline?.data ?? manifest.data.find(({ name }) => name !== 'test')
    const hint = 'train under mlops track --data train=PATH, or register with --baseline DATA'
    const actual = known === undefined ? 'missing' : `${known.of ?? 'file'} hash ${known.sha256.slice(0, 12)}`
    checks.push(presence('data_hash', known !== undefined, actual, hint))
  }
  return checks
}

const presence = (name: string, holds: boolean, actual: string, hint: string): GateCheck => ({
  name,
  required: 'present',
  actual,
  verdict: holds ? 'pass' : 'fail',
  ...(holds ? {} : { note: hint }),
})

/** Rows that a model has seen in training flatter its numbers. Always shown when known; a limit only where configured. */
export function overlapCheck(rules: GateRules, { challenger: { manifest } }: GateFacts): GateCheck[] {
  const name = 'train_test_overlap'
  const { overlap } = manifest
  const required = rules.overlap === null ? 'not bounded' : `at most ${percent(rules.overlap)}`
  if (overlap === undefined || overlap.rows === 0) {
    if (rules.overlap === null) return []
    const note =
      overlap === undefined
        ? 'register it with --test DATA and --baseline DATA, so that their rows can be compared'
        : 'the test set has no rows; register it with another one: --test DATA'
    return [{ name, required, actual: 'unknown', verdict: 'fail', note }]
  }
  const share = overlap.shared / overlap.rows
  const actual = overlap.shared === 0 ? 'none' : `${percent(share)} (${overlap.shared} of ${rowsText(overlap.rows)})`
  const holds = rules.overlap === null || share <= rules.overlap
  const note = `${overlapText(overlap)}: its metrics may flatter it`
  const said = !holds || (rules.overlap === null && rules.risk !== 'low' && isMoreThanChance(overlap))
  return [{ name, required, actual, verdict: holds ? 'pass' : 'fail', ...(said ? { note } : {}) }]
}

/** Where training rows repeat each other, new rows repeat them too: as many as that, and their noise, are no leak. */
function isMoreThanChance({ shared, expected = 0 }: NonNullable<Manifest['overlap']>): boolean {
  return shared > expected + 3 * Math.sqrt(expected)
}

/** scikit-learn's joblib files hold known globals only; what can execute code is a matter of the gate, or of the model's risk. */
export function scanCheck(rules: GateRules, { challenger }: GateFacts): GateCheck[] {
  const { files } = challenger.manifest
  if (files.length === 0) return []
  const required = rules.scan ?? 'optional'
  const refused = files.filter(({ scan }) => !ALLOWED[rules.scan ?? 'no code'].includes(scan.verdict))
  if (refused.length === 0) {
    return rules.scan === null ? [] : [{ name: 'scan', required, actual: worstScan(files), verdict: 'pass' }]
  }
  const named = refused.slice(0, 3).map(foundIn)
  const note = `${named.join('; ')}${refused.length > 3 ? `; ${refused.length - 3} more` : ''}`
  // Low risk forgives what could not be read, never what is known to run code when it is loaded.
  const said = rules.scan !== null || rules.risk !== 'low' || refused.some(({ scan }) => scan.verdict === CAN_EXECUTE)
  const verdict = rules.scan === null ? 'pass' : 'fail'
  return [{ name: 'scan', required, actual: worstScan(files), verdict, ...(said ? { note } : {}) }]
}

function foundIn({ path, scan }: ManifestFile): string {
  if (scan.verdict === 'not determined') return `whether ${path} can execute code when it is loaded is not determined`
  const found = scan.findings.length === 0 ? '' : ` (${scan.findings.slice(0, 3).join(', ')})`
  if (scan.verdict === CAN_EXECUTE) return `${path} can execute code when it is loaded${found}`
  return `${path} is no data alone: it names known classes${found}`
}

export const CAN_EXECUTE = 'can execute code'
const ALLOWED: Readonly<Record<'no code' | 'inert', readonly string[]>> = {
  'no code': ['inert', 'known globals only'],
  inert: ['inert'],
}
const SCAN_ORDER = ['inert', 'known globals only', 'not determined', CAN_EXECUTE] as const

const worstScan = (files: readonly ManifestFile[]): string =>
  SCAN_ORDER[Math.max(...files.map(({ scan }) => SCAN_ORDER.indexOf(scan.verdict)))] ?? 'not determined'
