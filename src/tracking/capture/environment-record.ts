/** Keeps what an interpreter answered: the old lock, the lock files, and the whole environment record, as objects. */
import { canonicalBytes } from '../../core/canonical-json.ts'
import type { EnvironmentRecord, PackageManager, PythonFacts } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'
import type { Interpreter } from './interpreter.ts'

const MANAGERS: readonly PackageManager[] = ['pip', 'uv', 'conda', 'poetry', 'pixi']

/** Writes objects only. The Python client writes the same bytes (`_run.py`); a test compares. */
export async function putPythonFacts(store: Store, found: Interpreter): Promise<PythonFacts> {
  const lines = found.packages.map((line) => `${line.toWellFormed()}\n`).join('')
  const [lock, environment] = await Promise.all([
    store.objects.put(Buffer.from(lines, 'utf8')),
    putEnvironment(store, found),
  ])
  return {
    executable: found.executable.toWellFormed(),
    version: found.version,
    lock: { sha256: lock.sha256, packages: found.packages.length },
    ...(environment === undefined ? {} : { environment }),
  }
}

async function putEnvironment(
  store: Store,
  { environment, locks }: Interpreter,
): Promise<PythonFacts['environment'] | undefined> {
  if (environment === undefined || !isEnvironment(environment)) return undefined
  const pins = await Promise.all(
    locks.map(async ({ path, text }) => ({
      path: path.toWellFormed(),
      ...(await store.objects.put(Buffer.from(text.toWellFormed(), 'utf8'))),
    })),
  )
  const record: EnvironmentRecord = { ...environment, locks: pins }
  const pin = await store.objects.put(canonicalBytes(record))
  return { ...pin, manager: record.manager, hashed: countHashed(record) }
}

/** Of how many packages the bytes of the archives are known by digest. */
export const countHashed = ({ packages }: Pick<EnvironmentRecord, 'packages'>): number =>
  packages.filter(({ hashes }) => hashes !== undefined && hashes.length > 0).length

/** The answer came out of a process that ran code of that environment: what it says is looked at before it is kept. */
function isEnvironment(value: Omit<EnvironmentRecord, 'locks'>): boolean {
  return (
    value.format === 1 &&
    MANAGERS.includes(value.manager) &&
    Array.isArray(value.packages) &&
    value.packages.every(({ name, version }) => typeof name === 'string' && typeof version === 'string')
  )
}
