/** Folders of data: what is read, what is remembered, and what becomes of a memory that cannot be believed. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { readManifest } from '../../../src/tracking/capture/data-manifest.ts'
import { type FolderRequest, hashFolder } from '../../../src/tracking/capture/folder-hash.ts'
import { skipBecause } from '../../support/skip.ts'

const hex = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex')
/** Files are remembered once they have not been touched for two seconds. */
const SETTLED = 2_100

describe('A folder of data', () => {
  let root: string
  let folder: string
  let store: string
  const write = (path: string, content: string | Buffer): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
  const settle = () => new Promise((resolve) => setTimeout(resolve, SETTLED))
  const hash = (request: FolderRequest = {}) => hashFolder(folder, { store, ...request })
  const cacheFile = (): string => {
    const [name, ...others] = readdirSync(join(store, 'cache/hashes'))
    assert.deepEqual(others, [])
    return join(store, 'cache/hashes', name ?? '')
  }
  /** As somebody would who wants it to be believed. */
  const forge = (change: (text: string) => string): void => {
    const body = change(readFileSync(cacheFile(), 'utf8').slice(0, -65))
    writeFileSync(cacheFile(), `${body}${hex(body)}\n`)
  }

  beforeEach(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'mlops-folder-')))
    folder = join(root, 'data')
    store = join(root, 'store')
    mkdirSync(folder)
    mkdirSync(store)
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  it('has a list of its files that can be read again, and whose digest is its own', async () => {
    write('b.csv', 'b')
    write('sub/a.csv', 'a')
    write('empty', '')
    const { sha256, manifest, size, files, notes } = await hash()
    assert.equal(manifest.toString(), `b.csv\0${hex('b')}\nempty\0${hex('')}\nsub/a.csv\0${hex('a')}\n`)
    assert.deepEqual([sha256, size, files.length, notes], [hex(manifest), 2, 3, []])
    assert.deepEqual(readManifest(manifest)[2], { path: 'sub/a.csv', sha256: hex('a') })
    for (let cut = 1; cut < manifest.length; cut++) {
      const torn = manifest.subarray(0, cut)
      if (torn.at(-1) === 10) continue
      assert.throws(() => readManifest(torn), RangeError, `cut at ${cut}`)
    }
  })

  it('may be empty, and may hold names of every kind', async () => {
    const empty = await hash()
    assert.deepEqual([empty.sha256, empty.files.length], [hex(''), 0])
    const names = ['"quoted"', 'line\nbreak', 'back\\slash', 'ä ö', '😀', '\ufffd', ' space ', 'tab\t']
    for (const name of names) write(`in/${name}`, name)
    for (let attempt = 0; attempt < 2; attempt++) {
      const { manifest } = await hash()
      const listed = readManifest(manifest)
      assert.deepEqual(
        listed.map(({ path, raw, sha256 }) => [raw?.toString() ?? path, sha256]).sort(),
        names.map((name) => [`in/${name}`, hex(name)]).sort(),
      )
      await settle()
    }
  })

  it('is told by its bytes where a name is no UTF-8', async function () {
    const name = Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9])])
    try {
      writeFileSync(name, 'x')
    } catch {
      skipBecause(this, 'this disk has no names but UTF-8')
    }
    const { manifest, notes } = await hash()
    assert.deepEqual(notes, [])
    assert.deepEqual(manifest, Buffer.concat([name.subarray(folder.length + 1), Buffer.from(`\0${hex('x')}\n`)]))
    assert.deepEqual(readManifest(manifest)[0]?.raw, name.subarray(folder.length + 1))
  })

  it('is not read again where nothing changed, and anew where something did', async () => {
    for (const name of ['a', 'b', 'c', 'd']) write(name, name)
    await settle()
    const first = await hash()
    forge((text) => text.replaceAll(hex('a'), hex('not a')))
    const second = await hash()
    assert.deepEqual(
      second.files.map(({ sha256 }) => sha256),
      ['not a', 'b', 'c', 'd'].map(hex),
      'a was read again',
    )
    forge((text) => text.replaceAll(hex('not a'), hex('a')))
    // Same size and same modification time: only the change time and the inode tell.
    write('b2', 'B')
    utimesSync(join(folder, 'b2'), 1_000_000_000, 1_000_000_000)
    renameSync(join(folder, 'b2'), join(folder, 'b'))
    rmSync(join(folder, 'c'))
    write('e', 'e')
    const third = await hash()
    assert.deepEqual(
      third.files.map(({ path, sha256 }) => [path, sha256]),
      [
        ['a', hex('a')],
        ['b', hex('B')],
        ['d', hex('d')],
        ['e', hex('e')],
      ],
    )
    assert.notEqual(third.sha256, first.sha256)
    assert.deepEqual(await hash({ rehash: true }), third)
  })

  it('is remembered only once it has not been touched for two seconds', async () => {
    write('a', 'a')
    await hash()
    assert.ok(!existsSync(join(store, 'cache')), 'it could be written again within the same tick of the clock')
    await settle()
    await hash()
    assert.ok(readFileSync(cacheFile(), 'utf8').includes(hex('a')))
  })

  it('is read as a whole with rehash, which says where the memory was wrong', async () => {
    write('a', 'a')
    write('b', 'b')
    await settle()
    const first = await hash()
    forge((text) => text.replaceAll(hex('a'), hex('forged')))
    assert.notEqual((await hash()).sha256, first.sha256, 'a forged memory is believed: docs/tracking.md says so')
    const again = await hash({ rehash: true })
    assert.equal(again.sha256, first.sha256)
    assert.deepEqual(again.notes, ['a was other than the store remembered'])
    assert.equal((await hash()).sha256, first.sha256, 'and is remembered rightly from then on')
  })

  it('has the right digest whatever is wrong with the memory', async () => {
    write('a', 'a')
    write('b', 'b')
    await settle()
    const { sha256 } = await hash()
    const whole = readFileSync(cacheFile())
    const file = cacheFile()
    const put = (bytes: Buffer | string) => () => {
      rmSync(file, { recursive: true, force: true })
      writeFileSync(file, bytes)
    }
    const wrong: Record<string, () => void> = {
      empty: put(''),
      garbage: put(Buffer.from([0, 255, 10, 34])),
      ...Object.fromEntries(
        [1, 50, 65, 66, 130].map((n) => [`torn by ${n}`, put(whole.subarray(0, whole.length - n))]),
      ),
      'a bit flipped': put(Buffer.from(whole.toString('latin1').replace(hex('a'), hex('x')), 'latin1')),
      'a folder in its place': () => {
        rmSync(file)
        mkdirSync(file)
      },
    }
    for (const [what, spoil] of Object.entries(wrong)) {
      spoil()
      const found = await hash()
      assert.deepEqual([found.sha256, found.notes], [sha256, []], what)
      rmSync(file, { recursive: true, force: true })
      await hash()
    }
    // Of another machine, and of another disk: the words in it are wrong for us.
    for (const [from, to] of [
      ['"who":"', '"who":"elsewhere '],
      ['"device":"', '"device":"9'],
      ['"format":1', '"format":2'],
    ] as const) {
      forge((text) => text.replace(from, to).replaceAll(hex('a'), hex('lie')))
      assert.equal((await hash()).sha256, sha256, to)
    }
    rmSync(join(store, 'cache'), { recursive: true })
    // Nothing can be written below a file, whoever we are.
    writeFileSync(join(store, 'cache'), '')
    assert.equal((await hash()).sha256, sha256)
  })

  it('is hashed by two at once as by one', async () => {
    for (let n = 0; n < 700; n++) write(`${n % 7}/${n}`, String(n))
    await settle()
    const all = await Promise.all([hash(), hash(), hash({ rehash: true })])
    assert.equal(new Set(all.map(({ sha256 }) => sha256)).size, 1)
    assert.deepEqual(readdirSync(join(store, 'cache/hashes')).length, 1)
    assert.equal((await hash()).sha256, all[0].sha256)
  })

  it('is told of files that go away or are written while it is read', async () => {
    for (let n = 1000; n < 2000; n++) write(`${n}`, String(n))
    const { files, notes } = await hash({ progress: () => rmSync(join(folder, '1999'), { force: true }) })
    assert.deepEqual([files.length, notes], [999, ['1999 went away before it was read']])
    write('growing', Buffer.alloc(32 << 20))
    const script = `const fs = require('node:fs'); const f = fs.openSync(process.argv[1], 'a'); process.stdout.write('x')
      for (;;) fs.writeSync(f, 'x')`
    const writer: ChildProcess = spawn(process.execPath, ['-e', script, join(folder, 'growing')])
    try {
      await new Promise((resolve) => writer.stdout?.once('data', resolve))
      assert.deepEqual((await hash()).notes, ['growing changed while it was read'])
    } finally {
      writer.kill('SIGKILL')
      await new Promise((resolve) => writer.once('exit', resolve))
    }
  })

  it('can be given up, and the next attempt need not read again what was read', async () => {
    for (let n = 1000; n < 3000; n++) write(`${n}`, String(n))
    await settle()
    const stop = new AbortController()
    await assert.rejects(hash({ signal: stop.signal, progress: () => stop.abort(new Error('enough')) }), /enough/)
    const known = readFileSync(cacheFile(), 'utf8').split('\n').length - 3
    assert.ok(known >= 256 && known < 2000, `${known} remembered`)
    assert.equal((await hash()).files.length, 2000)
    await assert.rejects(hash({ signal: AbortSignal.abort(new Error('before')) }), /before/)
  })

  it('names the pipes and sockets in it, which it does not wait for', async function () {
    if (process.platform === 'win32') skipBecause(this, 'Windows has no pipes in folders')
    write('a.txt', 'a')
    execFileSync('mkfifo', [join(folder, 'pipe')])
    const socket = createServer().listen(join(folder, 'sock'))
    await once(socket, 'listening')
    const { files, notes } = await hash()
    socket.close()
    assert.deepEqual(
      files.map(({ path }) => path),
      ['a.txt'],
    )
    assert.deepEqual(notes, ['2 files are no regular files and no part of it: pipe, sock'])
  })

  it('is read through links to files, as scripts read it, and not through links to folders', async () => {
    mkdirSync(join(root, 'elsewhere'))
    writeFileSync(join(root, 'elsewhere/x.png'), 'x')
    symlinkSync('../elsewhere/x.png', join(folder, 'x.png'))
    symlinkSync('../elsewhere', join(folder, 'more'))
    symlinkSync('.', join(folder, 'loop'))
    symlinkSync('nowhere', join(folder, 'dangling'))
    const { files, notes } = await hash()
    assert.deepEqual(
      files.map(({ path, sha256 }) => [path, sha256]),
      [['x.png', hex('x')]],
    )
    assert.deepEqual(notes, ['3 files are links that were not followed: dangling, loop, more'])
    await settle()
    await hash()
    appendFileSync(join(root, 'elsewhere/x.png'), 'y')
    assert.equal((await hash()).files[0]?.sha256, hex('xy'))
  })

  it('never holds the store', async () => {
    write('a', 'a')
    mkdirSync(join(folder, '.mlops/runs'), { recursive: true })
    writeFileSync(join(folder, '.mlops/runs/log'), 'x')
    const { files } = await hashFolder(folder, { store: join(folder, '.mlops') })
    assert.deepEqual(
      files.map(({ path }) => path),
      ['a'],
    )
  })
})
