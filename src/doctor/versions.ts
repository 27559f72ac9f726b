/**
 * What is wrong with the versions that are in a stage: no run, records that are lost, code that nobody can get back.
 * Re-hashing all bytes is `store verify`.
 */
import { MlopsError } from '../core/errors.ts'
import { versionName } from '../core/names.ts'
import { changesAreRecorded } from '../core/recorded-changes.ts'
import { versionAt } from '../lifecycle/operation.ts'
import { loadVersion, type VersionDetail } from '../lifecycle/versions/version.ts'
import type { ModelState } from '../store/fold.ts'
import type { Store } from '../store/store.ts'
import type { Finding } from './types.ts'

/** @returns the versions in any stage, each once, as far as they can be read */
export async function stagedVersions(
  store: Store,
  state: ModelState,
): Promise<{ readonly details: readonly VersionDetail[]; readonly findings: readonly Finding[] }> {
  const details: VersionDetail[] = []
  const findings: Finding[] = []
  for (const number of new Set(Object.values(state.stages).map(({ version }) => version))) {
    try {
      details.push(await loadVersion(store, state, versionAt(state, number)))
    } catch (error) {
      if (!(error instanceof MlopsError)) throw error
      const name = versionName(state.model, number)
      const summary = `${name} cannot be read: ${error.message}`
      findings.push({
        area: 'versions',
        severity: 'bad',
        model: state.model,
        summary,
        next: `mlops model verify ${name}`,
      })
    }
  }
  return { details, findings }
}

export function versionFindings(detail: VersionDetail): Finding[] {
  const { model, version, run, code, files, stages, problems, baseline } = detail
  const name = versionName(model, version)
  const about = `${name} (${stages.join(', ')})`
  const finding = (severity: Finding['severity'], summary: string, next: string | null): Finding => ({
    area: 'versions',
    severity,
    model,
    summary,
    next,
  })
  const track = `mlops track --model ${model} -- CMD`
  return [
    ...problems.map((problem) => finding('bad', `${about}: ${problem}`, 'mlops store verify')),
    ...(files.length === 0 ? [finding('bad', `${about} has no files: nothing could serve it`, track)] : []),
    ...(run === null && problems.length === 0
      ? [finding('warn', `${about} comes from no recorded run: nobody can train it again`, track)]
      : []),
    ...(run !== null && code?.commit == null
      ? [finding('warn', `${about} was trained outside of git: its code is not known`, track)]
      : []),
    ...(code !== null &&
    !changesAreRecorded(
      code,
      files.map(({ path }) => path),
    )
      ? [finding('warn', `${about} was trained with uncommitted changes that were not recorded`, track)]
      : []),
    ...(baseline === null
      ? [
          finding(
            'warn',
            `${about} has no baseline of its own: drift from what it was trained on cannot be seen`,
            `mlops register ${model} --artifact FILE --baseline DATA`,
          ),
        ]
      : []),
  ]
}
