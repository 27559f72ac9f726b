/** Lines found by their bytes, wherever the pieces that are read end. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lineNumber, linesWith, writtenAs } from '../../../src/predictions/find-lines.ts'
import { idTime } from '../../../src/predictions/id-time.ts'

describe('Looking for an id in lines', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mlops-find-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const found = (content: string | Buffer, id: string) => {
    const path = join(folder, 'log.jsonl')
    writeFileSync(path, content)
    return [...linesWith(path, writtenAs(id))].map(({ text, offset }) => [lineNumber(path, offset), text])
  }

  it('finds it first, last, without an end of the line, and twice in one line once', () => {
    assert.deepEqual(found('{"id":"a-1"}\n{"id":"b"}\n{"id":"a-1","x":"a-1"}', 'a-1'), [
      [1, '{"id":"a-1"}'],
      [3, '{"id":"a-1","x":"a-1"}'],
    ])
    assert.deepEqual(found('', 'a-1'), [])
    assert.deepEqual(found('\n\n\n', 'a-1'), [])
  })

  it('finds a line that lies across the pieces in which the file is read', () => {
    const filler = `${JSON.stringify({ id: 'x', pad: 'p'.repeat(1000) })}\n`
    for (const before of [4_193_000, 4_194_304 - 12, 4_194_304 - 5, 4_194_304]) {
      const head = `${filler.repeat(Math.floor(before / filler.length))}`
      const padded = `${head}${'p'.repeat(before - head.length)}\n`
      const [hit] = found(`${padded}{"id":"needle-7"}\n${filler}`, 'needle-7')
      assert.equal(hit?.[1], '{"id":"needle-7"}', `after ${before} bytes`)
    }
  })

  it('passes over a line that is too long to be a record, and finds the one behind it', () => {
    for (const mebibytes of [17, 33]) {
      const long = Buffer.alloc(mebibytes << 20, 'x')
      long.write('needle-8', 9 << 20)
      long.write('needle-8', long.length - 100)
      const hits = found(Buffer.concat([long, Buffer.from('\n{"id":"needle-8"}\n')]), 'needle-8')
      assert.deepEqual(
        hits.map(([line, text]) => [line, String(text).length]),
        [[2, 17]],
      )
    }
  })

  it('knows the ways in which JSON may write it', () => {
    const id = 'a/é"\u{1f600}'
    for (const line of [
      '{"id":"a/é\\"😀"}',
      '{"id":"a\\/\\u00e9\\"\\ud83d\\ude00"}',
      '{"id":"a/\\u00E9\\"\\uD83D\\uDE00"}',
    ]) {
      assert.equal(JSON.parse(line).id, id)
      assert.deepEqual(found(`${line}\n`, id), [[1, line]])
    }
  })
})

describe('The time in an id', () => {
  const now = new Date('2026-11-21T12:00:00Z')
  it('is read from ULIDs, UUIDs of version 7 and a date in front', () => {
    assert.equal(idTime('01ARZ3NDEKTSV4RRFFQ69G5FAV', now), 1_469_922_850_259) // the example of the ULID specification
    assert.equal(idTime('017f22e2-79b0-7cc3-98c4-dc0c0c07398f', now), 1_645_557_742_000) // RFC 9562, A.6
    assert.equal(idTime('2026-11-20-17', now), Date.UTC(2026, 10, 20))
  })
  it('is none in an id that only looks like one', () => {
    for (const id of ['9f86d081884c7d65-1a', '2026-13-45-1', '7ZZZZZZZZZZZZZZZZZZZZZZZZZ', '1999-01-01', 'a']) {
      assert.equal(idTime(id, now), undefined, id)
    }
  })
})
