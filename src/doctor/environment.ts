/**
 * Can the packages that the versions in stages were trained with still be installed? One finding for each environment,
 * however many versions share it. How pip is asked is in `pip.ts`.
 */
import type { Context } from '../core/context.ts'
import { MlopsError } from '../core/errors.ts'
import { versionName } from '../core/names.ts'
import type { VersionDetail } from '../lifecycle/versions/version.ts'
import type { PythonFacts } from '../store/run-records.ts'
import type { Store } from '../store/store.ts'
import { minor, type Pip, pipOf } from './pip.ts'
import type { Finding } from './types.ts'

const AT_ONCE = 2

/** One finding per environment, however many versions share it. */
export async function environmentFindings(
  ctx: Context,
  store: Store,
  details: readonly VersionDetail[],
  offline: boolean,
): Promise<readonly Finding[]> {
  const users = new Map<string, { python: PythonFacts; details: VersionDetail[] }>()
  const findings: Finding[] = []
  for (const detail of details) {
    const { python, run } = detail
    if (run === null) continue
    if (python?.lock === undefined) {
      findings.push(of([detail], 'warn', 'recorded no packages: its environment cannot be made again', null))
      continue
    }
    const key = `${python.lock.sha256} ${minor(python.version)}`
    const known = users.get(key) ?? { python, details: [] }
    known.details.push(detail)
    users.set(key, known)
  }
  const all = [...users.values()]
  const pip = pipOf(ctx)
  // pip mostly waits for its index: two at a time, in the order they were found.
  for (let at = 0; at < all.length; at += AT_ONCE) {
    ctx.signal?.throwIfAborted()
    const some = all.slice(at, at + AT_ONCE)
    const many = all.length > 1 ? `, ${Math.min(at + AT_ONCE, all.length)} of ${all.length} environments` : ''
    const names = some.flatMap(({ details: sharing }) => sharing.map((each) => versionName(each.model, each.version)))
    if (!offline) ctx.progress?.(`asking pip whether the packages of ${names.join(', ')} can be installed${many}`)
    findings.push(
      ...(await Promise.all(
        some.map(({ python, details: sharing }) => findingOf(store, offline ? null : pip, python, sharing)),
      )),
    )
  }
  return findings
}

/** @param pip null: nobody is asked over a network */
async function findingOf(
  store: Store,
  pip: Pip | null,
  python: PythonFacts,
  details: readonly VersionDetail[],
): Promise<Finding> {
  const packages = python.lock?.packages ?? 0
  const what = `Python ${minor(python.version)} and ${packages} packages`
  const lines = await listed(store, python)
  if (typeof lines === 'string') return of(details, 'bad', `${what}: ${lines}`, 'mlops store verify')
  if (pip === null) return of(details, 'unknown', `${what}: not looked up (--offline)`, 'mlops doctor')
  const answer = await pip.installable(lines, python.version)
  switch (answer.kind) {
    case 'installs':
      return of(details, 'good', `${what} can still be installed`, null)
    case 'missing': {
      const again = `mlops retrain ${details[0]?.model ?? 'MODEL'} --reason "an environment that can be installed"`
      const lost = answer.packages.join(', ')
      return of(
        details,
        'bad',
        `cannot be installed any more: no index has ${lost} for Python ${minor(python.version)}`,
        again,
      )
    }
    default:
      return of(details, 'unknown', `${what}: ${answer.why}`, null)
  }
}

/** @returns why not, where the list is damaged or lost: that is for a finding, and no reason to say nothing else */
async function listed(store: Store, { lock }: PythonFacts): Promise<readonly string[] | string> {
  if (lock === undefined) return []
  try {
    const text = (await store.objects.read(lock.sha256)).toString('utf8')
    return text.split('\n').filter((line) => line !== '')
  } catch (error) {
    if (!(error instanceof MlopsError)) throw error
    return `the list of its packages cannot be read: ${error.message}`
  }
}

function of(
  details: readonly VersionDetail[],
  severity: Finding['severity'],
  said: string,
  next: string | null,
): Finding {
  const names = details.map(({ model, version }) => versionName(model, version)).join(', ')
  const models = [...new Set(details.map(({ model }) => model))]
  const model = models.length === 1 ? (models[0] ?? null) : null
  return { area: 'environment', severity, model, summary: `${names}: ${said}`, next }
}
