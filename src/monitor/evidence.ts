/** What lies behind a version, as lines of an alert: who put it there, which run, which data, which code. Reads records. */
import type { Alert } from '../notify/types.ts'
import type { RunStart } from '../store/run-records.ts'
import type { Store } from '../store/store.ts'
import type { Subject } from './subject.ts'
import type { MonitoredCheck } from './types.ts'

export async function evidenceOf(store: Store, subject: Subject, check: MonitoredCheck): Promise<Alert['evidence']> {
  const { version, manifest, stage, entered, by } = subject
  const run = version.run === undefined ? undefined : await store.objects.readJson<RunStart>(version.run.run.sha256)
  const trained = manifest.data.find(({ name }) => name === 'train') ?? manifest.baseline?.data ?? manifest.data[0]
  const path = run?.data.find(({ sha256 }) => sha256 === trained?.sha256)?.path
  const lines: (readonly [label: string, value: string | undefined])[] = [
    ['manifest', short(version.manifest)],
    [
      stage === null ? 'stage' : `in ${stage}`,
      entered === null
        ? undefined
        : `since ${minute(new Date(entered).toISOString())}${by === null ? '' : ` by ${by}`}`,
    ],
    ['run', version.run?.id],
    [
      'trained on',
      trained &&
        `${path ?? trained.name} sha256 ${short(trained.sha256)}${trained.rows === undefined ? '' : `, ${trained.rows.toLocaleString('en-US')} rows`}`,
    ],
    [
      'code',
      run?.git?.commit == null
        ? undefined
        : `${short(run.git.commit)}${run.git.dirty ? ' with uncommitted changes' : ''}`,
    ],
    ['looked at', `${check.current.source}, ${check.current.rows.toLocaleString('en-US')} rows`],
    ['check', short(check.key)],
  ]
  return lines.flatMap(([label, value]) => (value === undefined ? [] : [{ label, value }]))
}

const short = (digest: string): string => digest.slice(0, 12)
const minute = (time: string): string => `${time.slice(0, 16).replace('T', ' ')} UTC`
