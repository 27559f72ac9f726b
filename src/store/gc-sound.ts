/**
 * Whether a store may be cleaned up at all. In one that is damaged, newer than this program, or not up to its shared
 * branch it is not known what is needed; then nothing is removed.
 */
import type { Digest } from '../core/digest.ts'
import { failed } from '../core/errors.ts'
import { readSharing } from './git-sharing.ts'
import { objectKey, STORE_FORMAT } from './layout.ts'
import type { LocalBackend } from './local-backend.ts'
import { readRegistry, tooNew } from './open.ts'
import { Findings } from './verify-findings.ts'
import { verifyModels } from './verify-models.ts'
import { stayedElsewhere } from './verify-objects.ts'
import { verifyRecords } from './verify-records.ts'

/**
 * The logs, checks and claims, each link and seal, and whether all that they need is here.
 * @returns what versions and checks need by what their records mean: a second opinion beside `mark`
 * @throws failed `STORE_TOO_NEW`, `STORE_DAMAGED`
 */
export async function assertSound(
  backend: LocalBackend,
  isObject: (digest: Digest) => boolean,
  step: (what: string) => void,
): Promise<ReadonlySet<Digest>> {
  const { format, digest: genesis } = readRegistry(backend.files, backend.root)
  if (format > STORE_FORMAT) throw tooNew(backend.root, format)
  const look = async (): Promise<{ damaged: Map<string, string>; wanted: Set<Digest> }> => {
    const findings = new Findings(backend, step)
    await verifyModels(findings, genesis)
    await verifyRecords(findings, genesis)
    for (const digest of findings.wanted.keys()) {
      if (isObject(digest) || (await backend.stat(objectKey(digest))) !== undefined) continue
      if (stayedElsewhere(findings, digest)) continue
      const whom = findings.affectedBy(digest)
      // A manifest always travels; a file of a version may be where it was registered.
      findings.damage(objectKey(digest), 'missing', 'the object is gone', whom)
    }
    const damaged = new Map(findings.report(backend.root).damages.map(({ file, why }) => [file, why]))
    return { damaged, wanted: new Set(findings.wanted.keys()) }
  }
  const first = await look()
  if (first.damaged.size === 0) return first.wanted
  // Others may be writing: what is wrong twice is wrong.
  const second = await look()
  const both = [...second.damaged].filter(([file]) => first.damaged.has(file))
  if (both.length === 0) return second.wanted
  const [file, why] = both[0] ?? ['', '']
  throw failed({
    code: 'STORE_DAMAGED',
    message: `The store is damaged, so it is not known what is needed, and nothing is removed: ${backend.path(file)} (${why})${both.length > 1 ? `, and ${both.length - 1} more` : ''}.`,
    hint: 'See all damage: mlops store verify',
    details: { store: backend.root, files: both.slice(0, 50).map(([damaged]) => damaged) },
  })
}

/** What the shared branch carries, as far as this folder knows it: nothing of it is ever removed here. */
export async function carriedByBranch(
  root: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ReadonlySet<Digest>> {
  const sharing = readSharing(root)
  if (sharing === undefined) return new Set()
  const [{ readKnownHead, withGit }, { gitFailedHere }] = await Promise.all([
    import('./git-dir.ts'),
    import('./git-problems.ts'),
  ])
  const head = readKnownHead(root)
  if (head === undefined) {
    throw failed({
      code: 'STORE_NOT_PULLED',
      message: `${root} is shared as ${sharing.branch} of ${sharing.remote}, and it is not known what the branch has. Nothing is removed.`,
      hint: 'Bring it up to the branch: mlops store pull',
    })
  }
  return withGit({ root, sharing, env }, async (git) => {
    const { code, stdout, stderr } = await git(['ls-tree', '-r', '-z', '--name-only', head.commit, 'objects/'])
    if (code !== 0) throw gitFailedHere(root, stderr)
    const names = stdout.toString('latin1').split('\0')
    return new Set(
      names.flatMap((name) => /^objects\/sha256\/([0-9a-f]{2})\/([0-9a-f]{62})$/.exec(name)?.slice(1).join('') ?? []),
    )
  })
}
