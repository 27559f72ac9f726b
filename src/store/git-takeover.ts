/**
 * From the shared branch into the folder: what commits add is checked and put into place, never over anything. The
 * branch is somebody else's word: a file comes in only under a name of a store, only where nothing was, and only whole.
 */
import { sha256 } from '../core/digest.ts'
import type { Backend } from './backend.ts'
import { carriedAs, MAX_CARRIED_BYTES, takeOverOrder } from './git-carried.ts'
import { type Git, isCommit } from './git-dir.ts'
import { diverged, remoteDamaged, rewritten } from './git-problems.ts'
import type { Sharing } from './git-sharing.ts'
import { numbered, numberOf, REGISTRY, ROOT_LOG } from './layout.ts'
import { openSealed, sealProblem } from './sealed.ts'

/** A file that a commit adds. */
export interface Addition {
  readonly key: string
  readonly blob: string
  /** That adds it. */
  readonly commit: string
}

export interface TakeOver {
  readonly git: Git
  readonly sharing: Sharing
  /** Writes into the folder. */
  readonly local: Backend
  readonly progress?: ((step: string, fraction?: number) => void) | undefined
  /** Tests end the process between two files. */
  readonly step?: ((name: string) => void) | undefined
}

/** What each of `commits` adds, in the order in which it may appear. @throws failed `STORE_REMOTE_REWRITTEN` */
export async function additions(git: Git, sharing: Sharing, commits: readonly string[]): Promise<Addition[]> {
  if (commits.length === 0) return []
  const { stdout } = await git(['diff-tree', '--stdin', '-r', '-z', '--no-renames', '--root'], {
    input: [Buffer.from(commits.map((commit) => `${commit}\n`).join(''))],
  })
  const all: Addition[] = []
  let [commit, ofCommit]: [string, Addition[]] = ['', []]
  const words = stdout.toString('utf8').split('\0')
  for (let at = 0; at < words.length - 1; at++) {
    // With -z a commit's line ends as every other word does, and older gits end it with a newline.
    let word = words[at] ?? ''
    const head = word.slice(0, 40)
    if (isCommit(head)) {
      all.push(...inOrder(ofCommit))
      ;[commit, ofCommit] = [head, []]
      word = word.slice(40).trimStart()
      if (word === '') continue
    }
    const [, mode = '', , blob = '', status = ''] = word.split(' ')
    at += 1
    const key = words[at] ?? ''
    if (carriedAs(key) === undefined) continue
    if (status !== 'A') {
      const what = status === 'D' ? 'deleted' : 'changed'
      throw rewritten(sharing, `${await whoPushed(git, commit)} ${what} ${key}`, { found: commit })
    }
    if (mode !== '100644')
      throw remoteDamaged(sharing, key, `its mode is ${mode}, not that of a plain file`, await whoPushed(git, commit))
    ofCommit.push({ key, blob, commit })
  }
  return [...all, ...inOrder(ofCommit)]
}

/** Of the root log only what names a new model comes before the model's event: the rest are anchors to it. */
function inOrder(list: readonly Addition[]): Addition[] {
  const sorted = [...list].sort((a, b) => takeOverOrder(a.key, b.key))
  const root = sorted.filter(({ key }) => key.startsWith(`${ROOT_LOG}/`))
  const event = sorted.find(({ key }) => /^models\/[^/]+\/log\//.test(key))
  if (event === undefined) return sorted
  const anchors = numberOf(event.key.slice(-15)) === 1 ? root.slice(1) : root
  return [...sorted.filter((each) => !anchors.includes(each)), ...anchors]
}

/** Into a folder that others may be reading: one after the other, in the order given. */
export async function takeOver(room: TakeOver, list: readonly Addition[]): Promise<void> {
  const missing: Addition[] = []
  for (const each of list) {
    // An object's name says what it must be, and its bytes are hashed whenever they are used.
    // It is about to be referred to, so a clean-up must know.
    const here = carriedAs(each.key) === 'object' && (await room.local.keep(each.key)) !== 'absent'
    if (!here) missing.push(each)
  }
  let done = 0
  await readBlobs(room.git, missing, async ({ key, commit }, bytes) => {
    const problem = typeof bytes === 'string' ? bytes : await problemOf(room.local, key, bytes)
    if (problem !== undefined || typeof bytes === 'string')
      throw remoteDamaged(room.sharing, key, problem ?? 'it is missing', await whoPushed(room.git, commit))
    await put(room, key, bytes)
    room.step?.('file taken over')
    done += 1
    if (missing.length > 20) room.progress?.(`taking over from ${room.sharing.remote}`, done / missing.length)
  })
}

/** `commit 1a2b3c4d5e6f by eve <eve@x> of 2026-11-21`. The author is what whoever made it says. */
async function whoPushed(git: Git, commit: string): Promise<string> {
  const { code, stdout } = await git(['show', '--no-patch', '--no-notes', '--format=%an <%ae> of %as', commit])
  const who = stdout
    .toString('utf8')
    .replace(/\p{C}+/gu, ' ')
    .trim()
    .slice(0, 200)
  return `commit ${commit.slice(0, 12)}${code === 0 && who !== '' ? ` by ${who}` : ''}`
}

async function put({ local, sharing }: TakeOver, key: string, bytes: Buffer): Promise<void> {
  if (carriedAs(key) === 'object') {
    const staged = await local.stage()
    await staged.write(bytes)
    await staged.publish(key, { addressed: true })
    return
  }
  if (await local.putIfAbsent(key, bytes)) return
  if ((await local.get(key))?.equals(bytes) === false) throw diverged(sharing, local.path(key))
}

/** @returns what is wrong with a file that comes from the branch, as far as the file and the one before it tell */
async function problemOf(local: Backend, key: string, bytes: Buffer): Promise<string | undefined> {
  const kind = carriedAs(key)
  if (kind === 'object') {
    return sha256(bytes) === key.slice('objects/sha256/'.length).replace('/', '')
      ? undefined
      : 'its bytes do not have the sha256 of its name'
  }
  const sealed = sealProblem(bytes)
  if (sealed !== undefined || kind !== 'link') return sealed
  const slash = key.lastIndexOf('/')
  const number = numberOf(key.slice(slash + 1)) ?? 0
  const record = openSealed(bytes)
  if (record?.seq !== number) return `it says that it is event ${String(record?.seq)}`
  const key0 = number === 1 ? REGISTRY : `${key.slice(0, slash)}/${numbered(number - 1)}`
  const before = await local.get(key0)
  // In a folder that is being made the registry comes last; `openStore` and every reader of the log look again.
  if (before === undefined) return number === 1 ? undefined : 'the event before it is missing'
  return record.prev === sha256(before) ? undefined : 'its "prev" is not the digest of the one before it'
}

/**
 * The bytes of each, in their order, by one process. One at a time in memory; what is larger than may be carried is
 * named and not read.
 */
async function readBlobs(
  git: Git,
  list: readonly Addition[],
  take: (addition: Addition, bytes: Buffer | string) => Promise<void>,
): Promise<void> {
  if (list.length === 0) return
  let [at, wanted, parts, have]: [number, number | undefined, Buffer[], number] = [0, undefined, [], 0]
  const output = async (chunk: Buffer): Promise<void> => {
    parts.push(chunk)
    have += chunk.length
    for (;;) {
      const next = list[at]
      if (next === undefined) return
      if (wanted === undefined) {
        const all = Buffer.concat(parts)
        const line = all.indexOf(10)
        if (line < 0) {
          parts = [all]
          return
        }
        const [, type, size = '0'] = all.subarray(0, line).toString('latin1').split(' ')
        if (type !== 'blob') return take(next, 'it is no file of the branch')
        if (Number(size) > MAX_CARRIED_BYTES)
          return take(next, `it has ${size} bytes; at most ${MAX_CARRIED_BYTES} are carried`)
        wanted = Number(size)
        parts = [all.subarray(line + 1)]
        have = all.length - line - 1
      }
      // The newline after the bytes is git's.
      if (have < wanted + 1) return
      const all = Buffer.concat(parts)
      await take(next, all.subarray(0, wanted))
      parts = [all.subarray(wanted + 1)]
      have = all.length - wanted - 1
      ;[at, wanted] = [at + 1, undefined]
    }
  }
  const input = [Buffer.from(list.map(({ blob }) => `${blob}\n`).join(''))]
  await git(['cat-file', '--batch'], { input, output })
  const unread = list[at]
  if (unread !== undefined) await take(unread, 'git could not read it')
}
