/** Single files: separators, quotes, line ends, encodings, compression, JSON, the types of Parquet. */
import assert from 'node:assert/strict'
import * as zlib from 'node:zlib'
import { profileBaseline } from '../../../src/drift/baseline.ts'
import { type Bench, bench, python } from './support.ts'

describe('Reading one file', () => {
  const { gzipSync } = zlib
  let work: Bench
  beforeEach(() => {
    work = bench()
  })
  afterEach(() => work.remove())

  const utf16be = (text: string): Buffer => Buffer.from(`\ufeff${text}`, 'utf16le').swap16()

  describe('A CSV file', () => {
    for (const [what, header, end] of [
      ['line ends of Windows below a header with a line break in quotes', '"ten\nure",plan', '\r\n'],
      ['line ends of Unix below a header with one of Windows in quotes', '"ten\r\nure",plan', '\n'],
      ['line ends of Windows everywhere', '"ten\r\nure",plan', '\r\n'],
    ] as const) {
      it(`has rows with ${what}`, async () => {
        const { columns, rows } = await work.read(work.write('a.csv', `${[header, '1,a', '2,b'].join(end)}${end}`))
        assert.deepEqual(columns, [header.slice(1, header.indexOf('",')), 'plan'])
        assert.deepEqual(rows, [
          ['1', 'a'],
          ['2', 'b'],
        ])
      })
    }

    it('is refused when lines end in different ways below a header with a line break in quotes', async () => {
      const error = await work.refusal(work.write('a.csv', '"ten\nure",plan\r\n1,a\n2,b\n'))
      assert.match(error.message, /end in different ways/)
    })

    it('has the separator that its first lines agree with, not the one its header happens to hold', async () => {
      const cases: readonly (readonly [string, readonly string[], number])[] = [
        ['a,b\n1,2\n3,4\n', ['a', 'b'], 2],
        ['a;b\n1,5;2,5\n3,5;4\n', ['a', 'b'], 2],
        ['price, EUR;pieces\n1,5;2\n3;4\n', ['price, EUR', 'pieces'], 2],
        ['a\tb,c\n1\t2\n3\t4,5\n', ['a', 'b,c'], 2],
        ['a|b|c\n1|2|3\n', ['a', 'b', 'c'], 1],
        ['"a;b",c\n1,2\n"x;y",4\n', ['a;b', 'c'], 2],
        ['a,b,c|d\n1,2,3|4\n1,2,3|4\n', ['a', 'b', 'c|d'], 2],
        ['a,b\n', ['a', 'b'], 0],
      ]
      for (const [text, columns, rows] of cases) {
        const read = await work.read(work.write('a.csv', text))
        assert.deepEqual([read.columns, read.rows.length], [columns, rows], text)
      }
    })

    it('may have one column, whose values hold every separator but one', async () => {
      const read = await work.read(work.write('a.csv', 'name\nSmith, John\nDoe; Jane\n"a ""b"""\n'))
      assert.deepEqual(read.columns, ['name'])
      assert.deepEqual(read.rows, [['Smith, John'], ['Doe; Jane'], ['a "b"']])
    })

    it('loses no row to quoted line breaks and gains none from blank lines at its end', async () => {
      const two = await work.read(work.write('a.csv', 'x,y\r\n1,"a\r\nb"\r\n2,"c,""d"""\r\n\r\n\r\n'))
      assert.deepEqual(two.rows, [
        ['1', 'a\r\nb'],
        ['2', 'c,"d"'],
      ])
      const one = await work.read(work.write('b.csv', 'x\n1\n\n2\n""\n\n'))
      assert.deepEqual(one.rows, [['1'], ['2'], [null]])
    })

    it('is the same in every encoding, and says which one was assumed', async () => {
      const text = 'größe;stadt\n1;Köln\n2;Łódź\n'
      const expected = (await work.read(work.write('plain.csv', text))).rows
      const cases: readonly (readonly [string, Buffer, RegExp | undefined])[] = [
        ['bom.csv', Buffer.from(`\ufeff${text}`), undefined],
        ['le.csv', Buffer.from(`\ufeff${text}`, 'utf16le'), /le.csv is not UTF-8; it was read as UTF-16$/],
        ['be.csv', utf16be(text), /read as UTF-16 \(big-endian\)/],
        ['bare-le.csv', Buffer.from(text, 'utf16le'), /read as UTF-16$/],
        ['bare-be.csv', Buffer.from(text, 'utf16le').swap16(), /read as UTF-16 \(big-endian\)/],
      ]
      for (const [name, bytes, note] of cases) {
        const read = await work.read(work.write(name, bytes))
        assert.deepEqual([read.columns, read.rows], [['größe', 'stadt'], expected], name)
        if (note === undefined) assert.deepEqual(read.notes, [], name)
        else assert.match(read.notes.join(), note)
      }
      const euro = Buffer.concat([
        Buffer.from('preis,stadt\n5 '),
        Buffer.from([0x80]),
        Buffer.from(',K'),
        Buffer.from([0xf6, 10]),
      ])
      const latin = await work.read(work.write('latin.csv', euro))
      assert.deepEqual(latin.rows, [['5 €', 'Kö']])
      assert.match(latin.notes.join(), /latin.csv is not UTF-8; it was read as Latin-1 \(Windows-1252\)/)
      assert.deepEqual(work.copies(), [])
    })

    it('with mixed line ends is refused with what to do about it', async () => {
      const error = await work.refusal(work.write('a.csv', 'x,y\r\n1,a\n2,b\r\n'))
      assert.match(error.message, /mixes Windows and Unix line ends/)
    })
  })

  describe('A compressed file', () => {
    const text = `x,plan\n${Array.from({ length: 500 }, (_, i) => `${i},p${i % 3}`).join('\n')}\n`

    it('is read whatever its name, and leaves no copy behind', async () => {
      const expected = (await work.read(work.write('a.csv', text))).rows
      for (const name of ['a.csv.gz', 'b.csv', 'c.gz', 'd']) {
        assert.deepEqual((await work.read(work.write(name, gzipSync(text)))).rows, expected, name)
      }
      // Two members behind each other, as `cat a.gz b.gz` makes them.
      const half = text.indexOf('\n', 900) + 1
      const two = Buffer.concat([gzipSync(text.slice(0, half)), gzipSync(text.slice(half))])
      assert.deepEqual((await work.read(work.write('two.csv.gz', two))).rows, expected)
      const lines = expected.map(([x, plan]) => `{"x": ${x}, "plan": "${plan}"}`)
      assert.deepEqual((await work.read(work.write('a.jsonl.gz', gzipSync(lines.join('\n'))))).rows, expected)
      assert.deepEqual((await work.read(work.write('a.json.gz', gzipSync(`[${lines.join(',')}]`)))).rows, expected)
      assert.deepEqual((await work.read(work.write('u.csv.gz', gzipSync(utf16be(text))))).rows, expected)
      assert.deepEqual(work.copies(), [])
    })

    it('of zstd is read by a Node that can, and never in part', async () => {
      const { zstdCompressSync } = zlib as { zstdCompressSync?: (text: string) => Buffer }
      if (zstdCompressSync === undefined) {
        const frame = Buffer.from('28b52ffd0458', 'hex')
        assert.match((await work.refusal(work.write('a.csv.zst', frame))).message, /zstd, which needs Node 22.15/)
        return
      }
      const whole = zstdCompressSync(text)
      assert.equal((await work.read(work.write('a.csv.zst', whole))).rows.length, 500)
      const two = Buffer.concat([whole, zstdCompressSync('500,p0\n')])
      assert.equal((await work.read(work.write('two.csv.zst', two))).rows.length, 501)
      for (const length of [whole.length - 1, 40, 7]) {
        const cut = await work.refusal(work.write('cut.csv.zst', whole.subarray(0, length)))
        assert.match(cut.message, /cut.csv.zst is cut short/)
      }
    })

    it('that is cut short, damaged or of another kind is refused with one clear message', async () => {
      const whole = gzipSync(text)
      const damaged = Buffer.from(whole)
      damaged.fill(0x55, 30, 90)
      const cases: readonly (readonly [string, Buffer, RegExp])[] = [
        ['cut.csv.gz', whole.subarray(0, whole.length / 2), /cut.csv.gz is cut short/],
        ['damaged.csv.gz', damaged, /damaged.csv.gz is compressed and damaged/],
        ['empty.csv.gz', gzipSync(''), /empty when it is unpacked/],
        ['a.csv.bz2', Buffer.from('BZh91AY&SY'), /compressed with bzip2/],
        ['a.xlsx', Buffer.from('PK\x03\x04rest'), /compressed with zip/],
      ]
      for (const [name, bytes, message] of cases) {
        assert.match((await work.refusal(work.write(name, bytes))).message, message)
      }
      const broken = await work.refusal(work.write('b.csv.gz', gzipSync('x,y\n1,2\n3\n')))
      assert.match(broken.message, /Line 3 of b.csv.gz has 1 of the 2 fields/)
      assert.deepEqual(work.copies(), [])
    })
  })

  describe('JSON and Parquet', () => {
    it('ignores lists and objects, and says so', async () => {
      const lines = Array.from(
        { length: 80 },
        (_, i) => `{"x": ${i % 9}, "tags": ["a", ${i}], "user": {"age": ${i}}, "s": "v[${i % 2}]"}`,
      )
      for (const name of ['a.jsonl', 'a.json']) {
        const text = name === 'a.json' ? `[${lines.join(',\n')}]` : lines.join('\n')
        const { profile, notes } = await profileBaseline(work.write(name, text), {
          cwd: work.path,
          schema: { columns: {} },
        })
        assert.deepEqual(
          profile.columns.map((column) => `${column.name} ${column.type}`),
          ['s categorical', 'tags ignore', 'user ignore', 'x numeric'],
        )
        assert.match(notes.join('\n'), /tags holds lists or objects and is ignored/)
      }
    })

    it('takes every type of Parquet for something sensible', async function () {
      python(this, 'types', work.path)
      const { profile, notes } = await profileBaseline('types.parquet', { cwd: work.path, schema: { columns: {} } })
      const types = Object.fromEntries(profile.columns.map(({ name, type }) => [name, type]))
      assert.deepEqual(types, {
        ...{ flag: 'categorical', tiny: 'numeric', long: 'numeric', unsigned: 'numeric', half: 'numeric' },
        ...{ money: 'numeric', wide: 'numeric', day: 'timestamp', when: 'timestamp', zoned: 'timestamp' },
        ...{ clock: 'categorical', took: 'numeric', list: 'ignore', struct: 'ignore', map: 'ignore', bytes: 'ignore' },
        ...{ level: 'categorical', user: 'id', nothing: 'numeric' },
      })
      for (const note of [/list holds lists or objects/, /bytes holds binary data/, /nothing has no values/]) {
        assert.match(notes.join('\n'), note)
      }
      const long = profile.columns.find(({ name }) => name === 'long')
      assert.ok(long?.type === 'numeric' && long.resolution === 'bigint')
      assert.deepEqual([long.min, long.max], [String(2n ** 60n), String(2n ** 60n + 4n)])
    })
  })
})
