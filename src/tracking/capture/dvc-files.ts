/**
 * What DVC says of a path: its `.dvc` file, the `.dvc` file of a folder around it, or the stage in a `dvc.lock` whose
 * output or dependency it is. Files are read, DVC is never run. Whether the bytes are those is `dvc-digest.ts`.
 */
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { parseYaml, type YamlNode } from '../../project/yaml.ts'
import { digestOfListing, type Listing, listingOf, within } from './dvc-digest.ts'
import type { Md5Kind } from './hash-worker.ts'

/** What is to be compared with the bytes. */
export interface DvcClaim {
  /** Absolute. */
  readonly file: string
  readonly stage?: string
  /** With `.dir` at the end for a folder. */
  readonly md5: string
  readonly kind: Md5Kind
}

/** A `.dvc` with a line for each of 100,000 files of a cloud has 20 MB. Bytes. */
const MAX_FILE = 32 << 20
const MAX_SIBLINGS = 200

/** @param full absolute. Undefined where DVC does not know it, and for what of DVC's files cannot be read. */
export async function findDvcClaim(full: string): Promise<DvcClaim | undefined> {
  const folders = await foldersUpTo(full)
  return (
    (await ownClaim(full)) ??
    (await claimOfSibling(full)) ??
    (await claimAround(full, folders)) ??
    (await claimOfLock(full, folders))
  )
}

/** Whether `.dvcignore` keeps something out of folders here, which only DVC can tell exactly. */
export async function hasIgnoreRules(full: string): Promise<boolean> {
  for (const folder of await foldersUpTo(full)) {
    const rules = (await readBounded(join(folder, '.dvcignore')))?.toString('utf8') ?? ''
    if (rules.split('\n').some((line) => /^\s*[^\s#]/.test(line))) return true
  }
  return false
}

/** From the folder of the path up to that of the DVC project; the first alone outside of one. */
async function foldersUpTo(full: string): Promise<string[]> {
  const folders: string[] = []
  for (let here = dirname(full); ; here = dirname(here)) {
    folders.push(here)
    if ((await stat(join(here, '.dvc')).catch(() => undefined))?.isDirectory()) return folders
    if (dirname(here) === here) return folders.slice(0, 1)
  }
}

const ownClaim = async (full: string): Promise<DvcClaim | undefined> => await claimOfFile(`${full}.dvc`, full)

/** `dvc add --file all.dvc` gives it another name. */
async function claimOfSibling(full: string): Promise<DvcClaim | undefined> {
  const names = await readdir(dirname(full)).catch(() => [])
  const others = names.filter((name) => name.endsWith('.dvc') && name.length > 4 && name !== `${basename(full)}.dvc`)
  for (const name of others.sort().slice(0, MAX_SIBLINGS)) {
    const claim = await claimOfFile(join(dirname(full), name), full)
    if (claim !== undefined) return claim
  }
  return undefined
}

async function claimOfFile(file: string, full: string): Promise<DvcClaim | undefined> {
  const tree = await readTree(file)
  if (tree === undefined) return undefined
  const base = resolve(dirname(file), textOf(member(tree, 'wdir')) ?? '.')
  return claimIn(itemsOf(member(tree, 'outs')), base, full, { file })
}

/** A part of a folder that was added as a whole: DVC's own cache knows the parts, where it is here. */
async function claimAround(full: string, folders: readonly string[]): Promise<DvcClaim | undefined> {
  const top = folders.at(-1)
  for (const folder of folders.slice(0, -1)) {
    const claim = await ownClaim(folder)
    if (claim === undefined || top === undefined) continue
    const listing = await cachedListing(join(top, '.dvc', 'cache'), claim.md5)
    const inside = relative(folder, full).split(sep).join('/')
    const md5 = listing?.find(({ relpath }) => relpath === inside)?.md5 ?? partOf(listing, inside)
    return md5 === undefined ? undefined : { ...claim, md5 }
  }
  return undefined
}

function partOf(listing: Listing | undefined, folder: string): string | undefined {
  const part = listing === undefined ? [] : within(listing, folder)
  return part.length === 0 ? undefined : digestOfListing(part)
}

async function cachedListing(cache: string, md5: string): Promise<Listing | undefined> {
  const [head, tail] = [md5.slice(0, 2), md5.slice(2)]
  for (const path of [join(cache, 'files/md5', head, tail), join(cache, head, tail)]) {
    const listing = listingOf(await readBounded(path))
    if (listing !== undefined) return listing
  }
  return undefined
}

/** An output first: the stage that makes it knows best. Then a dependency; of several stages, that of the first. */
async function claimOfLock(full: string, folders: readonly string[]): Promise<DvcClaim | undefined> {
  for (const folder of folders) {
    const file = join(folder, 'dvc.lock')
    const lock = await readTree(file)
    if (lock === undefined) continue
    const stages = entriesOf(member(lock, 'stages') ?? lock).filter(([, stage]) => stage.kind === 'map')
    const bases = wdirs(member((await readTree(join(folder, 'dvc.yaml'))) ?? lock, 'stages'))
    for (const key of ['outs', 'deps']) {
      for (const [stage, node] of stages) {
        const base = resolve(folder, bases(stage))
        const claim = claimIn(itemsOf(member(node, key)), base, full, { file, stage })
        if (claim !== undefined) return claim
      }
    }
  }
  return undefined
}

/** dvc.lock has no `wdir`: paths are relative to that of the stage in dvc.yaml. One with `${…}` cannot be known. */
function wdirs(stages: YamlNode | undefined): (stage: string) => string {
  return (stage) => {
    // `foreach` and `matrix` make `train@eu` of `train`.
    const node = member(stages, stage) ?? member(stages, stage.split('@')[0] ?? '')
    const wdir = textOf(member(node, 'wdir')) ?? textOf(member(member(node, 'do'), 'wdir'))
    return wdir === undefined || wdir.includes('${') ? '.' : wdir
  }
}

function claimIn(
  entries: readonly YamlNode[],
  base: string,
  full: string,
  where: { readonly file: string; readonly stage?: string },
): DvcClaim | undefined {
  for (const entry of entries) {
    const path = textOf(member(entry, 'path'))
    if (path === undefined || path.includes('://') || resolve(base, path) !== full) continue
    const md5 = textOf(member(entry, 'md5')) ?? digestOfFiles(itemsOf(member(entry, 'files')))
    if (md5 === undefined || !/^[0-9a-f]{32}(?:\.dir)?$/.test(md5)) continue
    // Before version 3, DVC left `hash` out and took the md5 of text with the line ends of Unix.
    const isOld = member(entry, 'hash') === undefined && member(entry, 'files') === undefined
    return { ...where, md5, kind: isOld ? 'md5-dos2unix' : 'md5' }
  }
  return undefined
}

/** What is kept in a cloud with versions is listed file by file instead. */
function digestOfFiles(files: readonly YamlNode[]): string | undefined {
  const listing = files.flatMap((file) => {
    const [md5, relpath] = [textOf(member(file, 'md5')), textOf(member(file, 'relpath'))]
    return md5 === undefined || relpath === undefined ? [] : [{ md5, relpath }]
  })
  return listing.length === 0 || listing.length < files.length ? undefined : digestOfListing(listing)
}

async function readTree(path: string): Promise<YamlNode | undefined> {
  const bytes = await readBounded(path)
  if (bytes === undefined) return undefined
  const parsed = parseYaml(bytes, path, MAX_FILE)
  return 'node' in parsed ? parsed.node : undefined
}

async function readBounded(path: string): Promise<Buffer | undefined> {
  try {
    const facts = await stat(path)
    return facts.isFile() && facts.size <= MAX_FILE ? await readFile(path) : undefined
  } catch {
    return undefined
  }
}

const entriesOf = (node: YamlNode | undefined): [string, YamlNode][] =>
  node?.kind === 'map' ? node.entries.map(({ key, value }) => [key, value]) : []
const member = (node: YamlNode | undefined, key: string): YamlNode | undefined =>
  entriesOf(node).find(([name]) => name === key)?.[1]
const itemsOf = (node: YamlNode | undefined): readonly YamlNode[] => (node?.kind === 'list' ? node.items : [])
const textOf = (node: YamlNode | undefined): string | undefined => (node?.kind === 'scalar' ? node.text : undefined)
