/**
 * Every way we could think of to make an archive that is none: a change of a sound archive, and what must be said of it.
 * Made by hand from blocks and records (`archives.ts`), so that nothing of `src/` has a say in it.
 */
import { gzipSync } from 'node:zlib'
import { BLOCK, END, type Entry, entriesOf, file, header, padded, patched, tarOf } from './archives.ts'
import { RECORDS } from './hostile-records.ts'

export interface Hostile {
  readonly what: string
  readonly make: (sound: Buffer) => Buffer
  /** Of the whole message. */
  readonly says: RegExp
  readonly code?: string
}

/** In front of the second entry, with nothing else changed. */
const inserted = (what: string, extra: (entries: readonly Entry[]) => Buffer, says: RegExp): Hostile => ({
  what,
  make: (sound) => {
    const entries = entriesOf(sound)
    const [index, ...rest] = entries as [Entry, ...Entry[]]
    return Buffer.concat([file(index), extra(entries), ...rest.map(file), END])
  },
  says,
})

/** The header of `manifest.json` changed, its content not. */
const reheaded = (
  what: string,
  changes: Readonly<Record<number, string | Buffer>>,
  says: RegExp,
  code?: string,
): Hostile => ({
  what,
  make: (sound) => {
    const parts = entriesOf(sound).map((entry) =>
      entry.path === 'manifest.json'
        ? Buffer.concat([patched(header(entry.path, entry.bytes.length), changes), padded(entry.bytes)])
        : file(entry),
    )
    return Buffer.concat([...parts, END])
  },
  says,
  ...(code === undefined ? {} : { code }),
})

const special = (type: string, name = 'objects/evil', link = ''): Buffer =>
  patched(header(name, 0), { 156: type, 157: link })
/** `LENGTH KEY=VALUE\n`, as pax has it. */
function paxRecord(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`
  let length = rest.length + 1
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length
  return Buffer.from(`${length}${rest}`)
}
const pax = (type: string, key: string, value: string): Buffer => {
  const record = paxRecord(key, value)
  return Buffer.concat([patched(header('PaxHeader/x', record.length), { 156: type }), padded(record)])
}
const gnuLong = (type: string, name: string): Buffer => {
  const bytes = Buffer.from(`${name}\0`)
  return Buffer.concat([patched(header('././@LongLink', bytes.length), { 156: type }), padded(bytes)])
}
const evil = (path: string): Buffer => file({ path, bytes: Buffer.from('evil') })

const BLOCKS: readonly Hostile[] = [
  inserted(
    'a symbolic link',
    () => special('2', 'objects/evil', '/etc/passwd'),
    /"objects\/evil": it is a symbolic link/,
  ),
  inserted('a hard link', () => special('1', 'objects/evil', 'manifest.json'), /"objects\/evil": it is a hard link/),
  inserted('a character device', () => special('3'), /"objects\/evil": it is a device/),
  inserted('a block device', () => special('4'), /"objects\/evil": it is a device/),
  inserted('a folder', () => special('5', 'objects/'), /"objects\/": it is a folder/),
  inserted('a pipe', () => special('6'), /"objects\/evil": it is a pipe/),
  inserted('a contiguous file', () => special('7'), /"objects\/evil": it is a file of an old kind/),
  inserted('a GNU sparse file', () => special('S'), /"objects\/evil": it is a sparse file/),
  inserted('the label of a tape', () => special('V'), /"objects\/evil": it is the label of a tape/),
  inserted('an entry of an unknown kind', () => special('Z'), /"objects\/evil": it is of an unknown kind/),
  inserted('a pax path', () => pax('x', 'path', '../../evil'), /"PaxHeader\/x": it is a pax header/),
  inserted('a pax size', () => pax('x', 'size', '99999999999'), /"PaxHeader\/x": it is a pax header/),
  inserted('a pax link path', () => pax('x', 'linkpath', '/etc/passwd'), /"PaxHeader\/x": it is a pax header/),
  inserted('a sparse file by pax', () => pax('x', 'GNU.sparse.realsize', '9999'), /"PaxHeader\/x": it is a pax header/),
  inserted('a global pax header', () => pax('g', 'path', '/evil'), /"PaxHeader\/x": it is a pax header/),
  inserted('an old pax header', () => pax('X', 'path', '/evil'), /"PaxHeader\/x": it is a pax header/),
  inserted('a GNU long name', () => gnuLong('L', `/${'x'.repeat(300)}`), /@LongLink": it is a GNU long name/),
  inserted('a GNU long link', () => gnuLong('K', '/etc/passwd'), /@LongLink": it is a GNU long name/),
  inserted('an absolute path', () => evil('/etc/cron.d/evil'), /"\/etc\/cron.d\/evil": its path is absolute/),
  inserted('a path with a drive', () => evil('C:\\evil'), /its path is absolute/),
  inserted('a path upwards', () => evil('../../evil'), /"..\/..\/evil": its path leads upwards/),
  inserted('a path upwards in the middle', () => evil('objects/../../evil'), /its path leads upwards/),
  inserted('a path upwards in the way of Windows', () => evil('objects\\..\\..\\evil'), /its path leads upwards/),
  inserted('no name', () => evil(''), /entry "": it has no name/),
  inserted(
    'a name of odd bytes',
    () => patched(header('x', 0), { 0: Buffer.from([0xff, 0xfe]) }),
    /its name is not valid Unicode/,
  ),
  inserted('a file that the index lacks', () => evil('evil.txt'), /"evil.txt": archive.json does not name it/),
  inserted('an object that the index lacks', () => evil(`objects/${'0'.repeat(64)}`), /archive.json does not name it/),
  inserted(
    'a name in other case',
    () => evil('Manifest.json'),
    /"Manifest.json": its name differs from manifest.json in case only/,
  ),
  inserted('the index twice', (entries) => file(entries[0] as Entry), /"archive.json": it is there twice/),
  {
    what: 'an object twice',
    make: (sound) => {
      const entries = entriesOf(sound)
      const at = entries.findIndex(({ path }) => path.startsWith('objects/'))
      return tarOf([...entries.slice(0, at + 1), entries[at] as Entry, ...entries.slice(at + 1)])
    },
    says: /"objects\/[0-9a-f]+": it is there twice/,
  },
  {
    what: 'an object twice, the second one after the end of the list',
    make: (sound) => {
      const entries = entriesOf(sound)
      return tarOf([...entries, entries[2] as Entry])
    },
    says: /"objects\/[0-9a-f]+": it is there twice/,
  },
  {
    what: 'another order',
    make: (sound) => {
      const entries = entriesOf(sound)
      return tarOf([entries[0], ...entries.slice(1).reverse()] as Entry[])
    },
    says: /"origin.json": it is not in its place/,
  },
  {
    what: 'a missing entry',
    make: (sound) => tarOf(entriesOf(sound).filter((_, n) => n !== 3)),
    says: /"objects\/[0-9a-f]+": it is not in its place/,
  },
  {
    what: 'a missing last entry',
    make: (sound) => tarOf(entriesOf(sound).slice(0, -1)),
    says: /damaged at entry "origin.json": it ends before this entry/,
    code: 'ARCHIVE_DAMAGED',
  },
  reheaded('another mode', { 100: '004755 \0' }, /"manifest.json": its header says more than a name and a size/),
  reheaded('another owner', { 108: '001750 \0' }, /its header says more/),
  reheaded('another time', { 136: '1234567012 \0'.slice(0, 12) }, /its header says more/),
  reheaded('a name of an owner', { 265: 'root' }, /its header says more/),
  reheaded('a link path on a file', { 157: '/etc/passwd' }, /its header says more/),
  reheaded('a prefix', { 345: '../..' }, /"..\/..\/manifest.json": its path leads upwards/),
  reheaded('a header of before 1988', { 156: '\0' }, /its header says more|it is a file of an old kind|unknown kind/),
  reheaded('a name with something behind its end', { 0: 'manifest.json\0/../../evil' }, /its header says more/),
  reheaded('another size', { 124: '0000000001 \0' }, /"manifest.json": it has 1 bytes, and archive.json says \d+/),
  reheaded(
    'a size of terabytes',
    { 124: Buffer.from([0x80, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff]) },
    /it has \d+ bytes, and archive.json says/,
  ),
  reheaded('a size below zero', { 124: Buffer.alloc(12, 0xff) }, /it has no size/, 'ARCHIVE_DAMAGED'),
  reheaded(
    'a size that no number holds',
    { 124: Buffer.concat([Buffer.from([0x80]), Buffer.alloc(11, 0xff)]) },
    /its numbers cannot be read/,
    'ARCHIVE_DAMAGED',
  ),
  reheaded('a size that is no number', { 124: 'zzzzzzzzzzz\0' }, /it has no size/, 'ARCHIVE_DAMAGED'),
  {
    what: 'a wrong checksum',
    make: (sound) => {
      const copy = Buffer.from(sound)
      const at = sound.indexOf('manifest.json\0')
      copy[at + 148] = 0x37
      return copy
    },
    says: /damaged at entry "manifest.json": its checksum is wrong/,
    code: 'ARCHIVE_DAMAGED',
  },
]

const damaged = (what: string, make: Hostile['make'], says: RegExp, code = 'ARCHIVE_DAMAGED'): Hostile => ({
  what,
  make,
  says,
  code,
})

const FILES: readonly Hostile[] = [
  damaged('nothing', () => Buffer.alloc(0), /it is empty/),
  damaged('zeros', () => Buffer.alloc(5000), /it does not begin as a tar file does/, 'ARCHIVE_UNKNOWN'),
  damaged('text', () => Buffer.from('hello'), /it does not begin as a tar file does/, 'ARCHIVE_UNKNOWN'),
  damaged('a compressed archive', (sound) => gzipSync(sound), /it is compressed/, 'ARCHIVE_UNKNOWN'),
  damaged(
    'another tar file',
    () => tarOf([{ path: 'readme.txt', bytes: Buffer.from('hi') }]),
    /it begins with "readme.txt"/,
    'ARCHIVE_UNKNOWN',
  ),
  damaged(
    'an archive cut in its first header',
    (sound) => sound.subarray(0, 300),
    /does not begin as a tar file does/,
    'ARCHIVE_UNKNOWN',
  ),
  damaged('an archive cut in its index', (sound) => sound.subarray(0, BLOCK + 100), /"archive.json": it was cut short/),
  damaged(
    'an archive cut in a header',
    (sound) => sound.subarray(0, sound.indexOf('manifest.json\0') + 100),
    /"manifest.json": it was cut short/,
  ),
  damaged('an archive cut in a file', (sound) => sound.subarray(0, sound.length - 8 * BLOCK), /it was cut short/),
  damaged('an archive without its end', (sound) => sound.subarray(0, sound.length - 2 * BLOCK), /it was cut short/),
  damaged(
    'an archive with half of its end',
    (sound) => sound.subarray(0, sound.length - BLOCK),
    /its end was cut short/,
  ),
  damaged('one more byte', (sound) => Buffer.concat([sound, Buffer.from('x')]), /1 bytes follow its end/),
  damaged('more zeros', (sound) => Buffer.concat([sound, END]), /1024 bytes follow its end/),
  damaged('entries behind the end', (sound) => Buffer.concat([sound, evil('evil.txt'), END]), /bytes follow its end/),
  damaged(
    'something in the middle of its end',
    (sound) => Buffer.concat([sound.subarray(0, -BLOCK), evil('evil.txt')]),
    /its end was cut short/,
  ),
  damaged(
    'something behind the bytes of a file',
    (sound) => {
      const copy = Buffer.from(sound)
      copy[sound.length - 2 * BLOCK - 1] = 1
      return copy
    },
    /"origin.json": something stands behind its bytes/,
  ),
  damaged(
    'a flipped bit in a model file',
    (sound) => {
      const copy = Buffer.from(sound)
      const at = copy.indexOf('"layers"')
      copy[at] = (copy[at] ?? 0) ^ 1
      return copy
    },
    /"objects\/[0-9a-f]+": its bytes do not have the sha256/,
  ),
]

/** Bytes of tar that no archive of ours has. */
export const BYTES: readonly Hostile[] = [...BLOCKS, ...FILES]
export const HOSTILE: readonly Hostile[] = [...BYTES, ...RECORDS]
