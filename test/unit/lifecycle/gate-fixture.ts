/** A gate judged on facts written as literals, for the tests of the evaluator. */
import { sha256 } from '../../../src/core/digest.ts'
import type { Champion, GateFacts, VersionFacts } from '../../../src/lifecycle/gate/facts.ts'
import { judgeGate } from '../../../src/lifecycle/gate/gate.ts'
import { gateRules } from '../../../src/lifecycle/gate/rules.ts'
import type { Risk } from '../../../src/project/config.ts'
import type { Gate } from '../../../src/project/gate-config.ts'
import type { Manifest, ScanResult } from '../../../src/store/manifest.ts'
import { gate, MODEL } from './fixture.ts'

export const INERT: ScanResult = { verdict: 'inert', findings: [] }
export const CODE: ScanResult = { verdict: 'can execute code', findings: ['posix.system'] }
export const TODAY = '2026-06-01'

export interface Spec {
  readonly metrics?: Manifest['metrics']
  readonly test?: string
  readonly files?: readonly string[]
  readonly scan?: ScanResult
  readonly baseline?: boolean
  readonly run?: boolean
  readonly data?: Manifest['data']
  /** With held-out predictions. */
  readonly predictions?: boolean
  readonly overlap?: NonNullable<Manifest['overlap']>
}

export function version(number: number, spec: Spec = {}): VersionFacts {
  const { metrics = {}, files = [`model ${number}`], scan = INERT, data = [] } = spec
  const manifest: Manifest = {
    format: 1,
    model: MODEL,
    files: files.map((text) => ({ path: 'model.joblib', sha256: sha256(text), size: text.length, scan })),
    metrics,
    params: {},
    data: [...data, ...(spec.test === undefined ? [] : [{ name: 'test', sha256: sha256(spec.test) }])],
    ...(spec.baseline === true
      ? { baseline: { profile: sha256('profile'), data: { name: 'baseline', sha256: sha256('rows') } } }
      : {}),
    ...(spec.predictions === true ? { testPredictions: { sha256: sha256(`rows of ${number}`), size: 9 } } : {}),
    ...(spec.overlap === undefined ? {} : { overlap: spec.overlap }),
  }
  const run = spec.run === true ? { id: 'RUN', run: { sha256: sha256('run'), size: 1 } } : undefined
  return { model: MODEL, version: number, digest: sha256(JSON.stringify([number, manifest])), manifest, run }
}

export interface Case {
  readonly gate?: Partial<Gate>
  readonly validation?: Partial<Gate>
  readonly stage?: string
  readonly risk?: Risk
  readonly challenger?: Spec
  readonly champion?: Champion | null
  readonly more?: Partial<GateFacts>
}

const ADA = { name: 'ada', origin: 'claimed' as const }

export function rulesOf(spec: Case) {
  const stage = spec.stage ?? 'production'
  const config = { risk: spec.risk ?? ('standard' as const), gates: spec.gate ? { [stage]: gate(spec.gate) } : {} }
  return gateRules(config, stage, spec.validation === undefined ? undefined : gate(spec.validation))
}

/** Version 2 against version 1, approved by one person. */
export function judge(spec: Case) {
  return judgeGate(rulesOf(spec), {
    challenger: version(2, spec.challenger),
    champions: { production: spec.champion ?? null },
    modelBaseline: false,
    approvals: [ADA],
    today: TODAY,
    ...spec.more,
  })
}

export const check = (spec: Case, name: string) => judge(spec).checks.find((each) => each.name === name)
export const verdict = (spec: Case, name: string) => check(spec, name)?.verdict
