/**
 * From the recorded packages to what an installer is told: in steps, because pip takes hashes for all packages of one call
 * or for none. Nothing is resolved: the record holds every package, so dependencies are not looked at. Pure.
 */
import { dirname, isAbsolute, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { EnvironmentRecord, LockedPackage } from '../../store/run-records.ts'
import { packageName } from '../compare/package-facts.ts'

export interface InstallStep {
  readonly what: string
  /** Lines of a requirements file. */
  readonly lines: readonly string[]
  /** Every line has a hash, and nothing else may be installed. */
  readonly hashed: boolean
}

export interface InstallPlan {
  readonly steps: readonly InstallStep[]
  /** Addresses for `conda create --file`, where the environment was conda's. */
  readonly conda: readonly string[]
  readonly count: number
  readonly hashed: number
  /** Every place but an index that something is taken from: `name from URL`; of conda's packages their channels. */
  readonly sources: readonly string[]
  /** One sentence each. */
  readonly risks: readonly string[]
}

/** Brought along by every new environment, and not used by a training: another release of these is not waited for. */
const TOOLS = new Set(['pip'])

/** @param root the project in the worktree, which relative paths of editable packages mean */
export function installPlan(packages: EnvironmentRecord['packages'], root: string): InstallPlan {
  const hashed: string[] = []
  const pinned: string[] = []
  const local: string[] = []
  const conda: string[] = []
  const risks: string[] = []
  const sources = new Set<string>()
  for (const each of packages) {
    if (TOOLS.has(packageName(each.name))) continue
    if (!isSafe(each)) {
      risks.push(
        `The package ${JSON.stringify(each.name)} has a name, a version or a source that no installer is given; it is left out.`,
      )
      continue
    }
    const source = sourceOf(each)
    if (source !== undefined) sources.add(source)
    if (each.from?.kind === 'conda') conda.push(each.from.url)
    else if (each.from === undefined || each.from.kind === 'archive') {
      const { line, isHashed } = indexLine(each, root)
      if (isHashed) hashed.push(line)
      else pinned.push(line)
    } else local.push(localLine(each, root, risks))
  }
  const steps: InstallStep[] = [
    { what: 'packages with recorded hashes', lines: hashed, hashed: true },
    { what: 'packages by name and version', lines: pinned, hashed: false },
    { what: 'packages of repositories and folders', lines: local, hashed: false },
  ]
  const count = hashed.length + pinned.length + local.length + conda.length
  return {
    steps: steps.filter(({ lines }) => lines.length > 0),
    conda,
    count,
    hashed: hashed.length,
    sources: [...sources],
    risks,
  }
}

/** Of a source that the plan must name; undefined for an index, and for what lies in the project. */
function sourceOf({ name, from }: LockedPackage): string | undefined {
  if (from === undefined) return undefined
  if (from.kind === 'conda') return `conda's packages from ${dirname(dirname(from.url))}`
  if (from.kind === 'vcs') return `${name} from ${from.vcs}+${from.url}@${from.commit.slice(0, 12)}`
  return hasScheme(from.url) || isAbsolute(from.url) ? `${name} from ${from.url}` : undefined
}

const hasScheme = (url: string): boolean => /^[a-z][a-z0-9+.-]*:/i.test(url)

/**
 * A record is a file that anybody may have written: no line of it becomes an option of pip, which also puts `${VARIABLE}`
 * of the environment into addresses, and no address is of a kind that runs something.
 */
const isSafe = (each: LockedPackage): boolean =>
  /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(each.name) &&
  /^[A-Za-z0-9.!+_-]+$/.test(each.version) &&
  (each.hashes ?? []).every((hash) => /^sha256:[0-9a-f]{64}$/.test(hash)) &&
  (each.from === undefined || isSafeSource(each.from))

/** Schemes that each kind of source may have. */
const SCHEMES: Readonly<Record<string, RegExp>> = {
  archive: /^(?:https?|file):/,
  conda: /^(?:https?|file):/,
  git: /^(?:https|ssh|git|file):/,
  hg: /^(?:https|ssh|file):/,
  svn: /^(?:https|ssh|svn|file):/,
  bzr: /^(?:https|ssh|sftp|file):/,
}

function isSafeSource(from: NonNullable<LockedPackage['from']>): boolean {
  const { kind, url } = from
  const subdirectory = 'subdirectory' in from ? (from.subdirectory ?? '') : ''
  if (
    /[\p{Cc}$;`\\]|^-|\s[-#]/u.test(url) ||
    !/^[\w.+/-]*$/.test(subdirectory) ||
    /(?:^|\/)(?:\.\.|-)/.test(subdirectory)
  )
    return false
  if (kind === 'vcs') {
    const schemes =
      Object.hasOwn(SCHEMES, from.vcs) && !['archive', 'conda'].includes(from.vcs) ? SCHEMES[from.vcs] : undefined
    return schemes?.test(url) === true && !/\s/.test(url) && /^[0-9a-zA-Z._][0-9a-zA-Z._/-]*$/.test(from.commit)
  }
  if (kind === 'path' || kind === 'editable') return !hasScheme(url) || url.startsWith('file:')
  if (!hasScheme(url)) return kind === 'archive' && !isAbsolute(url) && !url.split('/').includes('..')
  return !/\s/.test(url) && SCHEMES[kind]?.test(url) === true
}

function indexLine(
  { name, version, from, hashes = [] }: LockedPackage,
  root: string,
): { line: string; isHashed: boolean } {
  const what =
    from === undefined
      ? `${name}==${version}`
      : `${name} @ ${hasScheme(from.url) ? from.url : pathToFileURL(join(root, from.url))}`
  const options = hashes.map((hash) => ` --hash=${hash}`).join('')
  return { line: `${what}${options}`, isHashed: hashes.length > 0 }
}

function localLine({ name, from }: LockedPackage, root: string, risks: string[]): string {
  const inside = from === undefined || from.kind === 'conda' || from.subdirectory === undefined ? '' : from.subdirectory
  if (from?.kind === 'vcs') {
    return `${name} @ ${from.vcs}+${from.url}@${from.commit}${inside === '' ? '' : `#subdirectory=${inside}`}`
  }
  const url = join(from?.url ?? '.', inside)
  const path = url.replace(/^file:\/\//, '')
  if (isAbsolute(path)) {
    risks.push(
      `The package ${name} was installed from ${path}, outside of the project: what lies there now is installed.`,
    )
  }
  const full = isAbsolute(path) ? path : join(root, path)
  return from?.kind === 'editable' ? `-e ${full}` : full
}

/** The lock of older writers: `name==version` a line. */
export function packagesOfText(text: string): LockedPackage[] {
  return text.split('\n').flatMap((line) => {
    const [, name, version] = /^([^=\s]+)==(\S+)$/.exec(line.trim()) ?? []
    return name === undefined || version === undefined ? [] : [{ name, version }]
  })
}

/** Why an installation may have failed, from the installer's last words; undefined when they say it themselves. */
export function likelyReason(tail: readonly string[]): string | undefined {
  const text = tail.join('\n')
  if (/hashes are required|DO NOT MATCH THE HASHES|hash mismatch/i.test(text)) {
    return 'The archive on the index is not the one that was installed then.'
  }
  const local =
    /(?:No matching distribution found for|No solution found|Could not find a version).*?([\w.-]+==[\w.]+\+[\w.]+)/s.exec(
      text,
    )
  if (local !== null) {
    return `${local[1]} comes from an index of its own; name it, for example PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu`
  }
  if (/No matching distribution|Could not find a version|No solution found/i.test(text)) {
    return 'The index does not have this version (any more), or not for this Python and platform.'
  }
  if (/Failed to establish|Temporary failure in name|Connection|timed out|dns error|network/i.test(text)) {
    return 'The package index could not be reached; what pip has in its cache was not enough.'
  }
  if (/ensurepip is not available|python3-venv/i.test(text)) {
    return 'This Python cannot make environments: apt install python3-venv, or install uv.'
  }
  return /No space left/i.test(text) ? 'The disk is full: TMPDIR=/a/larger/disk' : undefined
}
