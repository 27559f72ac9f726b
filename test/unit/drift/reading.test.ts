/** Reading data: the same rows from every format, and one clear message for every broken file. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MlopsError } from '../../../src/core/errors.ts'
import { profileBatch } from '../../../src/drift/baseline.ts'
import { type ColumnProfile, mergeProfiles, profileBytes } from '../../../src/drift/profile.ts'
import { askPython, csv, type Folder, folder, NO_SCHEMA } from './support.ts'

let work: Folder
beforeEach(() => {
  work = folder()
})
afterEach(() => work.remove())

async function column(name: string, file: string): Promise<ColumnProfile> {
  const { profile } = await work.baseline(file)
  const found = profile.columns.find((each) => each.name === name)
  assert.ok(found, `no column ${name}`)
  return found
}

describe('A profile of a file', () => {
  it('is the same to the byte when the same data are profiled twice', async () => {
    work.write(
      'a.csv',
      csv(
        'x,plan',
        Array.from({ length: 500 }, (_, i) => `${(i * 7919) % 113},${i % 3 ? 'a' : 'b'}`),
      ),
    )
    const [first, second] = [await work.baseline('a.csv'), await work.baseline('a.csv')]
    assert.ok(first.bytes.equals(second.bytes))
  })

  it('is the same to the byte from CSV, Parquet and JSONL', async function () {
    askPython(this, { do: 'write', dir: work.path })
    const [fromCsv, fromParquet, fromJson] = await Promise.all(
      ['before.csv', 'before.parquet', 'before.jsonl'].map((file) => work.baseline(file)),
    )
    assert.ok(fromCsv?.bytes.equals(fromParquet?.bytes ?? Buffer.alloc(0)), 'CSV and Parquet differ')
    assert.ok(fromCsv?.bytes.equals(fromJson?.bytes ?? Buffer.alloc(0)), 'CSV and JSONL differ')
  })

  it('counts a batch alike from CSV, Parquet, JSONL and as float32', async function () {
    askPython(this, { do: 'write', dir: work.path })
    const { profile } = await work.baseline('before.parquet')
    const count = async (file: string) => {
      const batch = await profileBatch(profile, file, { cwd: work.path })
      return batch.profile.columns.map((each) => ({ ...each, min: 0, max: 0 }))
    }
    const expected = await count('after.csv')
    for (const file of ['after.parquet', 'after.jsonl', 'after32.parquet']) {
      assert.deepEqual(await count(file), expected, file)
    }
    const small = await profileBatch(profile, 'before32.parquet', { cwd: work.path })
    for (const [i, each] of small.profile.columns.entries()) {
      const whole = profile.columns[i]
      if (each.type === 'numeric' && whole?.type === 'numeric') assert.deepEqual(each.counts, whole.counts, each.name)
    }
  })

  it('adds up from its parts in any order, to the byte', async () => {
    const lines = Array.from({ length: 900 }, (_, i) => `${Math.sin(i) * 10},${['a', 'b', `n${i % 5}`][i % 3]}`)
    work.write(
      'base.csv',
      csv(
        'x,plan',
        lines.slice(0, 300).map((line) => line.replace(/n\d/, 'c')),
      ),
    )
    work.write('all.csv', csv('x,plan', lines))
    const { profile } = await work.baseline('base.csv')
    const part = async (from: number, to: number) => {
      work.write(`p${from}.csv`, csv('x,plan', lines.slice(from, to)))
      return (await profileBatch(profile, `p${from}.csv`, { cwd: work.path })).profile
    }
    const [a, b, c] = [await part(0, 100), await part(100, 550), await part(550, 900)]
    const whole = profileBytes((await profileBatch(profile, 'all.csv', { cwd: work.path })).profile)
    assert.ok(profileBytes(mergeProfiles(mergeProfiles(a, b), c)).equals(whole))
    assert.ok(profileBytes(mergeProfiles(c, mergeProfiles(b, a))).equals(whole))
  })

  it('takes a numeric column with blank strings as numeric and says so', async () => {
    const values = Array.from({ length: 300 }, (_, i) => (i % 30 === 0 ? ' ' : String(i / 7)))
    work.write(
      'a.csv',
      csv(
        'id2,total',
        values.map((value, i) => `${i % 9},${value}`),
      ),
    )
    const { profile, notes } = await work.baseline('a.csv')
    const total = profile.columns.find(({ name }) => name === 'total')
    assert.equal(total?.type === 'numeric' && total.unparsed, 10)
    assert.match(notes.join(), /total is numeric though 10 of 300 values are no numbers \(blank\)/)
  })

  it('keeps numbers with leading zeros, dates, ids and long texts apart from numbers and categories', async () => {
    const rows = Array.from({ length: 200 }, (_, i) => {
      const zip = String(i % 40).padStart(5, '0')
      const day = `2024-01-${String((i % 28) + 1).padStart(2, '0')}`
      return `${zip},${day},u-${i}x,this is remark number ${i},${i + 1},${i % 2 === 0 ? 'True' : 'False'}`
    })
    work.write('a.csv', csv('zip,day,user,remark,row,flag', rows))
    const types = Object.fromEntries(
      (await work.baseline('a.csv')).profile.columns.map(({ name, type }) => [name, type]),
    )
    assert.deepEqual(types, {
      zip: 'categorical',
      day: 'timestamp',
      user: 'id',
      remark: 'text',
      row: 'id',
      flag: 'categorical',
    })
  })

  it('knows a row counter of which a random half was kept for an id, and an amount in cents for a number', async () => {
    // Every second place of 400 on average, from a linear congruential generator; amounts never repeat but lie far apart.
    const kept = Array.from({ length: 400 }, (_, i) => i + 1).filter((i) => (i * 1103515245 + 12345) % 1000 < 500)
    const rows = kept.map((row, i) => `${row},${1000 + i * 37 + (i % 5)}`)
    work.write('a.csv', csv('row,cents', rows))
    const columns = (await work.baseline('a.csv')).profile.columns.map(({ name, type }) => `${name} ${type}`)
    assert.deepEqual(columns.sort(), ['cents numeric', 'row id'])
  })

  it('obeys the types and roles of the schema, and says what the schema names in vain', async () => {
    work.write(
      'a.csv',
      csv(
        'code,y',
        Array.from({ length: 100 }, (_, i) => `${i % 5},${i % 2}`),
      ),
    )
    const schema = { columns: { code: 'categorical', cod: 'id' }, target: 'y', prediction: 'score' } as const
    const { profile, notes } = await work.baseline('a.csv', schema)
    assert.deepEqual(
      profile.columns.map(({ name, type, role }) => [name, type, role]),
      [
        ['code', 'categorical', 'feature'],
        ['y', 'numeric', 'target'],
      ],
    )
    assert.match(notes.join('\n'), /column "cod" of the schema is not in a.csv; did you mean "code"\?/)
    assert.match(notes.join('\n'), /prediction "score" of the schema is not in a.csv/)
  })

  it('counts 1, 1.0 and True, true as one category each', async () => {
    const schema = { columns: { code: 'categorical' } } as const
    work.write(
      'a.csv',
      csv(
        'code,flag',
        Array.from({ length: 60 }, (_, i) => `${i % 2},${i % 3 ? 'true' : 'false'}`),
      ),
    )
    work.write(
      'b.csv',
      csv(
        'code,flag',
        Array.from({ length: 60 }, (_, i) => `${i % 2}.0,${i % 3 ? 'True' : 'FALSE'}`),
      ),
    )
    const { profile } = await work.baseline('a.csv', schema)
    const batch = await profileBatch(profile, 'b.csv', { cwd: work.path })
    const counts = (each: ColumnProfile) => (each.type === 'categorical' ? [each.counts, each.new] : [])
    assert.deepEqual(batch.profile.columns.map(counts), profile.columns.map(counts))
  })

  it('tells whole numbers beyond 2^53 apart', async () => {
    const [a, b] = ['9007199254740993', '9007199254740994']
    work.write(
      'a.csv',
      csv(
        'k,x',
        Array.from({ length: 90 }, (_, i) => `${i % 3 ? a : b},${i % 4}`),
      ),
    )
    work.write('b.jsonl', Array.from({ length: 90 }, (_, i) => `{"k": ${i % 3 ? b : a}, "x": ${i % 4}}`).join('\n'))
    const found = await column('k', 'a.csv')
    assert.ok(found.type === 'numeric' && found.resolution === 'bigint')
    assert.deepEqual(
      found.singles.map(([bin, value]) => [value, found.counts[bin]]),
      [
        [a, 60],
        [b, 30],
      ],
    )
    assert.deepEqual([found.min, found.max], [a, b])
    assert.equal((await work.compare('a.csv', 'b.jsonl')).columns[0]?.verdict, 'drift')
  })

  it('counts missing values, NaN, infinities and words apart', async () => {
    const values = ['1', '2', '', 'NaN', 'inf', '-inf', 'oops', ...Array.from({ length: 93 }, (_, i) => String(i))]
    work.write(
      'a.csv',
      csv(
        'x,y',
        values.map((value) => `${value},1`),
      ),
    )
    const found = await column('x', 'a.csv')
    assert.ok(found.type === 'numeric')
    const { missing, nan, positiveInfinity, negativeInfinity, unparsed, min, max } = found
    const counted = { missing, nan, positiveInfinity, negativeInfinity, unparsed, min, max }
    assert.deepEqual(counted, {
      ...{ missing: 1, nan: 1, positiveInfinity: 1, negativeInfinity: 1, unparsed: 1 },
      ...{ min: 0, max: 92 },
    })
  })

  it('reads a byte-order mark, UTF-16, Latin-1, semicolons, tabs and Windows line ends', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => `${i % 7};${i % 2 ? 'Köln' : 'Ulm'}`)
    const text = `größe;stadt\r\n${rows.join('\r\n')}\r\n`
    work.write('plain.csv', text)
    work.write('bom.csv', `\ufeff${text}`)
    work.write('utf16.csv', Buffer.from(`\ufeff${text}`, 'utf16le'))
    work.write('latin1.csv', Buffer.from(text, 'latin1'))
    work.write('tabs.tsv', text.replaceAll(';', '\t'))
    const expected = (await work.baseline('plain.csv')).bytes
    for (const file of ['bom.csv', 'utf16.csv', 'latin1.csv', 'tabs.tsv']) {
      assert.ok((await work.baseline(file)).bytes.equals(expected), file)
    }
    assert.match((await work.baseline('latin1.csv')).notes.join(), /not UTF-8; it was read as Latin-1/)
  })

  it('takes column names with quotes, line breaks and SQL in them as names', async () => {
    const evil = `x"); DROP TABLE y; --`
    work.write('a.csv', `"x""); DROP TABLE y; --","two\nlines",'q'\n${'1,2,3\n'.repeat(60)}`)
    const { profile } = await work.baseline('a.csv')
    assert.deepEqual(profile.columns.map(({ name }) => name).sort(), [evil, 'two\nlines', "'q'"].sort())
    const key = JSON.stringify(evil)
    work.write(
      'a.jsonl',
      Array.from({ length: 60 }, (_, i) => `{${key}: ${i % 4}, "it's": "it's '${i % 2}'"}`).join('\n'),
    )
    const names = (await work.baseline('a.jsonl')).profile.columns.map(({ name }) => name)
    assert.deepEqual(names.sort(), [evil, "it's"].sort())
  })

  it('opens a file whose name holds wildcards and quotes, and that file only', async () => {
    work.write("it's [1]*?.csv", csv('x', ['1', '2', '3']))
    work.write("it's 1.csv", csv('y', ['1', '2', '3']))
    const { profile } = await work.baseline("it's [1]*?.csv")
    assert.deepEqual(
      profile.columns.map(({ name }) => name),
      ['x'],
    )
  })

  it('has one column, constant columns, columns without any value and an outlier of 1e6', async () => {
    work.write(
      'a.csv',
      csv(
        'x',
        Array.from({ length: 100 }, (_, i) => (i === 50 ? '1e6' : String(i / 10))),
      ),
    )
    assert.equal((await column('x', 'a.csv')).type, 'numeric')
    work.write(
      'b.csv',
      csv(
        'constant,empty,x',
        Array.from({ length: 100 }, (_, i) => `7,,${i % 10}`),
      ),
    )
    const { profile, notes } = await work.baseline('b.csv')
    assert.match(notes.join(), /empty has no values at all/)
    assert.equal(profile.columns.find(({ name }) => name === 'empty')?.missing, 100)
    work.write(
      'c.csv',
      csv(
        'constant,empty,x',
        Array.from({ length: 100 }, (_, i) => `8,1,${i % 10}`),
      ),
    )
    const same = await work.compare('b.csv', 'b.csv')
    assert.equal(same.verdict, 'stable')
    const changed = await work.compare('b.csv', 'c.csv')
    assert.deepEqual(
      changed.columns
        .filter(({ verdict }) => verdict === 'drift')
        .map((each) => each.column)
        .sort(),
      ['constant', 'empty'],
    )
  })
})

describe('A broken file', () => {
  const good = csv(
    'x,plan',
    Array.from({ length: 60 }, (_, i) => `${i},a`),
  )

  /** The message and exit of the one error that profiling the file raises. */
  async function refusal(name: string, content?: string | Buffer): Promise<MlopsError> {
    if (content !== undefined) work.write(name, content)
    try {
      await work.baseline(name)
    } catch (error) {
      assert.ok(error instanceof MlopsError, String(error))
      assert.ok(!/\n/.test(error.message) && error.message.length < 300, error.message)
      assert.ok(!/read_csv|strict_mode|SELECT|Candidates/.test(error.message), error.message)
      return error
    }
    throw new Error(`${name} was accepted`)
  }

  const cases: readonly (readonly [string, string, string | Buffer | undefined, string, RegExp])[] = [
    ['missing', 'nowhere.csv', undefined, 'notFound', /There is no file nowhere.csv/],
    ['remote', 'https://example.com/a.csv', undefined, 'usage', /only local files/],
    ['empty', 'a.csv', '', 'failed', /empty: it does not even have a header/],
    ['with a header only', 'a.csv', 'x,plan\n', 'failed', /has a header but no rows/],
    [
      'with a long line',
      'a.csv',
      'x,plan\n1,a\n2,a,b\n',
      'failed',
      /Line 3 of a.csv has more than the 2 fields of the header/,
    ],
    ['with a short line', 'a.csv', 'x,plan\n1,a\n2\n', 'failed', /Line 3 of a.csv has 1 of the 2 fields of the header/],
    ['with an open quote', 'a.csv', 'x,plan\n1,"a\n2,b\n', 'failed', /double quote that is never closed/],
    ['with an open quote in its header', 'a.csv', 'x,"plan\n1,a\n', 'failed', /header of a.csv opens a double quote/],
    ['with a column twice', 'a.csv', 'x,x\n1,2\n', 'failed', /two columns named "x"/],
    ['of zeros', 'a.csv', Buffer.alloc(4096), 'failed', /binary, not text/],
    ['that is compressed', 'a.csv', Buffer.from([0x1f, 0x8b, 8, 0, 1, 2]), 'failed', /compressed/],
    ['with a million columns', 'a.csv', `${'a,'.repeat(1_000_000)}b\n1\n`, 'failed', /columns; at most 4096/],
    [
      'with a line of a million fields',
      'a.csv',
      `x,plan\n${'1,'.repeat(1_000_000)}\n`,
      'failed',
      /Line 2 of a.csv has more than the 2 fields/,
    ],
    ['with a line of 3 MB', 'a.csv', `x,plan\n1,${'y'.repeat(3e6)}\n`, 'failed', /Line 2 of a.csv is longer than 2 MB/],
    ['that calls itself Parquet', 'a.parquet', good, 'failed', /is not a Parquet file/],
    ['of JSON cut short', 'a.jsonl', '{"x": 1}\n{"x": \n', 'failed', /is not a JSON object/],
    ['of JSON that is no object', 'a.jsonl', '{"x": 1}\n[1, 2]\n', 'failed', /is not a JSON object/],
    ['of JSON with a key twice', 'a.jsonl', '{"x": 1}\n{"x": 1, "x": 2}\n', 'failed', /key "x" twice/],
  ]
  for (const [what, name, content, exit, message] of cases) {
    it(`${what} is refused with one clear message`, async () => {
      const error = await refusal(name, content)
      assert.match(error.message, message)
      assert.equal(error.exit, exit)
    })
  }

  it('of Parquet, cut short or damaged, is refused', async function () {
    askPython(this, { do: 'write', dir: work.path })
    const whole = readFileSync(join(work.path, 'after.parquet'))
    const damaged = Buffer.from(whole)
    damaged.fill(7, 1_000, whole.length - 1_000)
    writeFileSync(join(work.path, 'damaged.parquet'), damaged)
    truncateSync(join(work.path, 'after.parquet'), whole.length / 2)
    assert.match((await refusal('after.parquet')).message, /cut short/)
    assert.match((await refusal('damaged.parquet')).message, /cut short or damaged|cannot be read/)
  })

  it('that is a folder without data is refused', async () => {
    mkdirSync(join(work.path, 'folder.csv'))
    const error = await refusal('folder.csv')
    assert.match(error.message, /There is no data file in the folder folder.csv/)
    assert.equal(error.exit, 'notFound')
  })

  it('stops at once when the user interrupts', async () => {
    work.write('a.csv', good)
    const { profileBaseline } = await import('../../../src/drift/baseline.ts')
    const signal = AbortSignal.abort()
    await assert.rejects(profileBaseline('a.csv', { cwd: work.path, schema: NO_SCHEMA, signal }), {
      exit: 'interrupted',
    })
  })
})
