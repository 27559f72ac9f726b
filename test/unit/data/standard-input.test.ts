/** `-`: rows on standard input, whatever their format, and what is left behind. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { type Bench, bench, python } from './support.ts'

const ROOT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))

describe('Standard input', () => {
  let work: Bench
  beforeEach(() => {
    work = bench()
  })
  afterEach(() => work.remove())

  const piped = (content: string | Buffer) => ({ stdin: Readable.from([Buffer.from(content)]) })

  it('is CSV, JSON lines, a JSON array or Parquet, also compressed, by what it holds', async function () {
    const text = 'x,plan\n1,a\n2,b\n'
    const rows = [
      ['1', 'a'],
      ['2', 'b'],
    ]
    const lines = '{"x": 1, "plan": "a"}\n{"x": 2, "plan": "b"}\n'
    const cases: readonly (readonly [string | Buffer, string])[] = [
      [text, 'csv'],
      [gzipSync(text), 'csv'],
      [lines, 'jsonl'],
      [`\n[${lines.trim().replace('\n', ',')}]`, 'jsonl'],
    ]
    for (const [content, format] of cases) {
      const read = await work.read('-', piped(content))
      assert.deepEqual([read.name, read.format, read.rows], ['standard input', format, rows])
      assert.equal(read.sha256, createHash('sha256').update(content).digest('hex'))
    }
    python(this, 'types', work.path)
    const parquet = await work.read('-', piped(readFileSync(join(work.path, 'types.parquet'))))
    assert.deepEqual([parquet.format, parquet.rows.length], ['parquet', 120])
  })

  it('can be opened again, and its private copy is for its owner alone', async () => {
    const input = piped('x\n1\n2\n')
    const first = await work.read('-', input)
    assert.deepEqual((await work.read('-', input)).rows, first.rows)
    const [folder = ''] = work.copies()
    const path = join(work.path, 'tmp', folder)
    assert.equal(statSync(path).mode & 0o777, 0o700)
    assert.equal(statSync(join(path, 'rows')).mode & 0o777, 0o600)
  })

  it('that is a terminal, empty, broken or not there is refused with what to do', async () => {
    const terminal = Object.assign(Readable.from([]), { isTTY: true })
    const cases = [
      [{ stdin: terminal }, 'usage', /that is a terminal/],
      [{}, 'usage', /no standard input/],
      [piped(''), 'failed', /Standard input is empty/],
      [piped('x,y\n1,2\n3\n'), 'failed', /Line 3 of standard input has 1 of the 2 fields/],
    ] as const
    for (const [options, exit, message] of cases) {
      const error = await work.refusal('-', options)
      assert.match(error.message, message)
      assert.equal(error.exit, exit)
    }
  })

  it('leaves nothing behind when the work ends, is interrupted or is ended', async () => {
    const script = join(work.path, 'read.mts')
    const source = join(ROOT, 'src/data/input.ts')
    writeFileSync(
      script,
      `import { namedData } from ${JSON.stringify(source)}
       const stop = new AbortController()
       process.on('SIGINT', () => stop.abort())
       console.log('ready')
       try {
         await namedData('-').open({ cwd: '/', stdin: process.stdin, signal: stop.signal }, async (source) => {
           console.log(String(await source.duck.rows('SELECT count(*) FROM ' + source.relation)))
         })
       } catch (error) { console.log(error.code); process.exitCode = 130 }`,
    )
    const tmp = join(work.path, 'copies')
    mkdirSync(tmp)
    const words = ['--import', join(ROOT, 'node_modules/tsx/dist/loader.mjs'), script]
    const env = { ...process.env, TMPDIR: tmp }
    const whole = spawnSync(process.execPath, words, { env, input: 'x\n1\n2\n', encoding: 'utf8' })
    assert.equal(whole.stdout, 'ready\n2\n', whole.stderr)
    const ours = () => readdirSync(tmp).filter((name) => name.startsWith('mlops-data-'))
    assert.deepEqual(ours(), [])
    for (const [signal, said] of [
      ['SIGINT', 'INTERRUPTED\n'],
      ['SIGTERM', ''],
    ] as const) {
      const child = spawn(process.execPath, words, { env, stdio: ['pipe', 'pipe', 'inherit'] })
      let out = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        out += text
      })
      child.stdin.write('x\n1\n')
      while (!ours().some((name) => existsSync(join(tmp, name, 'rows'))))
        await new Promise((next) => setTimeout(next, 20))
      const ended = once(child, 'close')
      child.kill(signal)
      const [code, by] = (await ended) as [number | null, string | null]
      assert.deepEqual([out, code ?? by], [`ready\n${said}`, signal === 'SIGINT' ? 130 : 'SIGTERM'])
      assert.deepEqual(ours(), [], signal)
    }
  })
})
