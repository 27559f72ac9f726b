/**
 * From the recorded packages to what an installer is told: in steps, because pip takes hashes for all packages of one call
 * or for none. Nothing is resolved: the record holds every package, so dependencies are not looked at. Pure.
 */
import { isAbsolute, join } from 'node:path'
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
  for (const each of packages) {
    if (TOOLS.has(packageName(each.name))) continue
    if (!isSafe(each)) {
      risks.push(
        `The package ${JSON.stringify(each.name)} has a name or version that no installer takes; it is left out.`,
      )
    } else if (each.from?.kind === 'conda') conda.push(each.from.url)
    else if (each.from === undefined || each.from.kind === 'archive') {
      const { line, isHashed } = indexLine(each)
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
  return { steps: steps.filter(({ lines }) => lines.length > 0), conda, count, hashed: hashed.length, risks }
}

/** A record is a file that anybody may have written: no line of it becomes an option of pip. */
const isSafe = ({ name, version, from, hashes }: LockedPackage): boolean =>
  /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(name) &&
  /^[A-Za-z0-9.!+_-]+$/.test(version) &&
  (hashes ?? []).every((hash) => /^sha256:[0-9a-f]{64}$/.test(hash)) &&
  (from === undefined || !/[\r\n]|^-/.test(`${from.url}${'subdirectory' in from ? from.subdirectory : ''}`)) &&
  (from?.kind !== 'vcs' || /^[0-9a-zA-Z._/-]+$/.test(`${from.commit}${from.vcs}`))

function indexLine({ name, version, from, hashes = [] }: LockedPackage): { line: string; isHashed: boolean } {
  const what = from === undefined ? `${name}==${version}` : `${name} @ ${from.url}`
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
