/** What real libraries write, and what attackers write, through the scanner. Python's pickletools is the reference. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync, gzipSync } from 'node:zlib'
import { scanPickles } from '../../../src/lifecycle/scan/pickle-file.ts'
import { openFile } from '../../../src/lifecycle/scan/reader.ts'
import { Report } from '../../../src/lifecycle/scan/report.ts'
import { scanFile } from '../../../src/lifecycle/scan/scan.ts'
import { needsPython, PYTHON } from '../../support/python.ts'

const ROOT = join(import.meta.dirname, '../../..')

interface Expected {
  readonly verdict: string
  readonly globals?: readonly string[]
  readonly finding?: string
}

let dir: string
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'mlops-scan-'))
})
after(() => rmSync(dir, { recursive: true, force: true }))

async function scanBytes(bytes: Uint8Array | string, name = 'file') {
  const path = join(dir, 'bytes')
  writeFileSync(path, typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  return scanFile(path, { name })
}

describe('scanning what real libraries write', function () {
  this.timeout(120_000)
  let expected: Record<string, Expected>

  before(function () {
    needsPython(this)
    execFileSync(PYTHON, [join(ROOT, 'test/python/scan/corpus.py'), dir])
    expected = JSON.parse(readFileSync(join(dir, 'expect.json'), 'utf8'))
  })

  it('gives every file of the corpus the verdict it deserves', async () => {
    const wrong: string[] = []
    for (const [name, { verdict, finding }] of Object.entries(expected)) {
      const result = await scanFile(join(dir, name))
      const found = finding === undefined || result.findings.includes(finding)
      if (result.verdict !== verdict || !found) wrong.push(`${name}: ${result.verdict} (${result.findings.join(', ')})`)
    }
    assert.deepEqual(wrong, [])
    assert.ok(Object.keys(expected).length > 500, 'the corpus is as large as it was')
  })

  it('finds exactly the globals that pickletools finds', async () => {
    for (const [name, { globals }] of Object.entries(expected)) {
      if (globals === undefined) continue
      const file = await openFile(join(dir, name))
      const report = new Report()
      await scanPickles(() => file.from(0), report)
      await file.close()
      const imports = report.imports.filter((each) => !each.includes(' '))
      assert.deepEqual(imports.sort(), globals, name)
    }
  })

  it('misses no import that Python itself makes of thousands of damaged pickles', async () => {
    execFileSync(PYTHON, [join(ROOT, 'test/python/scan/mutants.py'), dir, '3000'], { stdio: 'ignore' })
    const mutants: string[][] = JSON.parse(readFileSync(join(dir, 'mutants.json'), 'utf8'))
    let imported = 0
    let unfollowed = 0
    for (const [i, globals] of mutants.entries()) {
      const file = await openFile(join(dir, `m${i}.mutant`))
      const report = new Report()
      await scanPickles(() => file.from(0), report)
      await file.close()
      imported += globals.length
      const missed = globals.filter((name) => !report.imports.includes(name))
      if (missed.length === 0) continue
      // A name that could not be followed is a finding of its own; bytes with two readings are never harmless.
      unfollowed++
      const { verdict } = report.result()
      assert.ok(['can execute code', 'not determined'].includes(verdict), `m${i}.mutant: ${verdict}, missed ${missed}`)
    }
    assert.ok(unfollowed < mutants.length / 100, `${unfollowed} mutants could not be followed`)
    assert.ok(imported > 1_000, `${imported} imports were made`)
  })

  it('does not care what a file is called', async () => {
    for (const name of ['model.safetensors', 'model.json', 'weights.onnx', 'notes.txt', 'x.npy']) {
      const bytes = readFileSync(join(dir, 'system.4.pkl'))
      assert.equal((await scanBytes(bytes, name)).verdict, 'can execute code', name)
    }
  })

  it('never calls a pickle harmless that is cut short, and still names what runs before the cut', async () => {
    for (const name of ['forest.4.pkl', 'system.4.pkl', 'frame.2.pkl', 'forest.plain.joblib']) {
      const whole = readFileSync(join(dir, name))
      const verdict = expected[name]?.verdict
      for (let cut = 1; cut < whole.length; cut += Math.max(1, Math.floor(whole.length / 97))) {
        const result = await scanBytes(whole.subarray(0, cut))
        // A name that is cut is another name: Python would import it.
        assert.ok(['not determined', 'can execute code'].includes(result.verdict), `${name} cut at ${cut}`)
      }
      assert.equal((await scanBytes(whole)).verdict, verdict)
    }
  })

  it('never fails on damaged bytes, whatever byte is wrong', async () => {
    // A fixed sequence, so that a failure can be repeated.
    let seed = 12345
    const next = (below: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
      return Math.floor((seed / 2 ** 32) * below)
    }
    for (const name of ['pipeline.4.pkl', 'pipeline.0.pkl', 'forest.plain.joblib', 'objects.npz', 'structured.npy']) {
      const whole = readFileSync(join(dir, name))
      for (let round = 0; round < 150; round++) {
        const bytes = Buffer.from(whole)
        for (let i = 0; i < 3; i++) bytes[next(bytes.length)] = next(256)
        const { verdict } = await scanBytes(bytes)
        assert.ok(['inert', 'known globals only', 'can execute code', 'not determined'].includes(verdict))
      }
    }
  })

  it('sees a call that is spliced into a harmless pickle at any place between two opcodes', async () => {
    const script = `
import pickle, pickletools, sys, base64, io
data = open(sys.argv[1], 'rb').read()
for op, arg, at in pickletools.genops(data):
    if op.name not in ('PROTO', 'FRAME') and at > 1: print(at)
`
    const name = 'containers.2.pkl'
    const places = execFileSync(PYTHON, ['-c', script, join(dir, name)], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map(Number)
    const whole = readFileSync(join(dir, name))
    const payload = Buffer.from("cposix\nsystem\n(S'true'\ntR0", 'latin1')
    assert.ok(places.length > 20)
    for (const at of places) {
      const bytes = Buffer.concat([whole.subarray(0, at), payload, whole.subarray(at)])
      const { verdict, findings } = await scanBytes(bytes)
      assert.equal(verdict, 'can execute code', `at ${at}`)
      assert.ok(findings.includes('posix.system'))
    }
  })
})

describe('scanning what attackers write', () => {
  const danger = async (bytes: string | Uint8Array, finding: string, name?: string) => {
    const result = await scanBytes(bytes, name)
    assert.equal(result.verdict, 'can execute code', result.findings.join())
    assert.ok(result.findings.includes(finding), `${finding} is not among ${result.findings.join(', ')}`)
  }
  const short = (text: string): string => `\x8c${String.fromCharCode(text.length)}${text}`
  const frame = (body: string): string => `\x80\x04${body}.`

  it('names the import of GLOBAL, INST, OBJ and STACK_GLOBAL', async () => {
    await danger("cos\nsystem\n(S'id'\ntR.", 'os.system')
    await danger("(S'id'\nios\nsystem\n.", 'os.system')
    await danger("(cos\nsystem\nS'id'\no.", 'os.system')
    await danger(frame(`${short('os')}${short('system')}\x93${short('id')}\x85R`), 'os.system')
  })

  it('follows names through the memo, through DUP, and past strings that were put in between', async () => {
    await danger(
      frame(`${short('system')}\x94${short('os')}\x94${short('junk')}0h\x01h\x00\x93${short('id')}\x85R`),
      'os.system',
    )
    await danger(
      frame(`${short('os')}\x94${short('system')}\x94r\x05\x00\x00\x0000h\x00j\x05\x00\x00\x00\x93.`),
      'os.system',
    )
    await danger("V\\u006fs\np0\n0Vsystem\np1\n0\x80\x04g0\ng1\n\x93S'id'\n\x85R.", 'os.system')
    await danger(frame(`(${short('os')}${short('system')}\x93${short('id')}\x85Rl`), 'os.system')
  })

  it('takes a name that is computed for a finding, not for a gap', async () => {
    const computed = `c__builtin__\nstr\n(S'os'\ntR${short('system')}\x93${short('id')}\x85R`
    await danger(`\x80\x04${computed}.`, 'a global whose name is computed')
    await danger(`\x80\x04S'o\\x73'\n${short('system')}\x93${short('id')}\x85R.`, 'a global whose name is computed')
    const long = `X\x00\x02\x00\x00${'o'.repeat(512)}`
    await danger(frame(`${long}${short('system')}\x93)R`), 'a global whose name is computed')
  })

  it('does not believe in the first part of a dotted name', async () => {
    await danger(
      frame(`${short('numpy')}${short('testing._private.utils.runstring')}\x93)R`),
      'numpy.testing._private.utils.runstring',
    )
    await danger(
      frame(`${short('numpy')}${short('ndarray.__init__.__globals__')}\x93)R`),
      'numpy.ndarray.__init__.__globals__',
    )
    await danger(frame(`${short('sklearn.pipeline')}${short('Pipeline.fit')}\x93.`), 'sklearn.pipeline.Pipeline.fit')
  })

  it('does not allow whole modules', async () => {
    for (const [module, name] of [
      ['numpy.testing._private.utils', 'runstring'],
      ['builtins', 'getattr'],
      ['builtins', '__import__'],
      ['builtins', 'type'],
      ['operator', 'attrgetter'],
      ['operator', 'methodcaller'],
      ['joblib', 'load'],
      ['joblib.numpy_pickle', 'load'],
      ['numpy', 'load'],
      ['numpy', 'memmap'],
      ['pandas', 'read_pickle'],
      ['torch', 'load'],
      ['torch.storage', '_load_from_bytes'],
      ['collections', 'namedtuple'],
      ['numpy._core', '_ufunc_reconstruct'],
      ['scipy.stats._distn_infrastructure', 'rv_frozen'],
      ['cloudpickle.cloudpickle', '_make_function'],
      ['timeit', 'timeit'],
      ['pydoc', 'locate'],
    ] as const) {
      await danger(frame(`${short(module)}${short(name)}\x93)R`), `${module}.${name}`)
    }
  })

  it('refuses the extension registry, calls of what a call returned, and changes to a class', async () => {
    await danger('\x80\x02\x82\x05)R.', 'the global behind extension code 5')
    await danger('\x80\x02\x83\x05\x01)R.', 'the global behind extension code 261')
    await danger('cfunctools\npartial\n(cbuiltins\nround\nI1\ntR(I1\ntR.', 'a call of a computed object')
    await danger("csklearn.pipeline\nPipeline\n(N}S'fit'\nNstb.", 'sklearn.pipeline.Pipeline is changed')
  })

  it('reads on behind the first pickle, and never trusts what is no pickle there', async () => {
    await danger("I1\n.cos\nsystem\n(S'id'\ntR.", 'os.system')
    const trailing = await scanBytes(
      Buffer.concat([Buffer.from('\x80\x04K\x01.', 'latin1'), Buffer.from('PK\x05\x06 whatever')]),
    )
    assert.equal(trailing.verdict, 'not determined')
    assert.equal((await scanBytes('\x80\x04K\x01.\x80\x04K\x02.')).verdict, 'inert')
  })

  it('names what ran before a pickle breaks', async () => {
    await danger("cos\nsystem\n(S'id'\ntR\xff\xff", 'os.system')
    await danger("\x80\x02cos\nsystem\n(S'id'\ntR", 'os.system')
    await danger("\x80\x02cos\nsystem\n(S'id'\ntR0000000.", 'os.system')
    await danger("(S'id'\nios\nsystemX", 'os.system')
  })

  it('does not determine a frame that ends inside of a name, which the C unpickler then reads anew', async () => {
    // Read on: numpy.dtype. The C unpickler drops the "nump" that is in the frame, and imports from "y".
    const split = await scanBytes('\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00cnumpy\ndtype\n.')
    assert.equal(split.verdict, 'not determined')
    const nested = '\x80\x04\x95\x0c\x00\x00\x00\x00\x00\x00\x00\x95\x02\x00\x00\x00\x00\x00\x00\x00K\x01K\x01.'
    assert.equal((await scanBytes(nested)).verdict, 'not determined')
  })

  it('reads the five pickles of old PyTorch files, and not the raw numbers behind them', async () => {
    const magic = '\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.'
    const head = `${magic}\x80\x02M\xe9\x03.\x80\x02}.`
    const tensor =
      '\x80\x02ccollections\nOrderedDict\n)R}(U\x01w(U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuK\x04NtQuR0.'
    const whole = `${head}${tensor.replace('uR0.', 'u0.')}\x80\x02]U\x010a.`
    assert.equal((await scanBytes(`${whole}\x04\x00\x00\x00raw`)).verdict, 'known globals only')
    await danger(`${head}\x80\x02cos\nsystem\n(S'id'\ntR.\x80\x02].raw`, 'os.system')
  })

  it('looks into compressed files, and behind their first stream', async () => {
    const evil = Buffer.from("\x80\x02cos\nsystem\n(S'id'\ntR.", 'latin1')
    const good = Buffer.from('\x80\x02K\x01.', 'latin1')
    await danger(deflateSync(evil), 'os.system')
    await danger(gzipSync(evil), 'os.system')
    await danger(Buffer.concat([gzipSync(good), gzipSync(evil)]), 'os.system')
    assert.equal((await scanBytes(deflateSync(good))).verdict, 'inert')
    assert.equal((await scanBytes(Buffer.concat([deflateSync(good), deflateSync(evil)]))).verdict, 'not determined')
    assert.equal((await scanBytes(gzipSync(evil).subarray(0, 20))).verdict, 'not determined')
    assert.equal((await scanBytes(Buffer.concat([Buffer.from('377abcaf271c', 'hex'), evil]))).verdict, 'not determined')
  })

  it('takes plain text for text, but not a pickle that looks like it', async () => {
    assert.equal((await scanBytes('a,b\n1,2\n', 'data.csv')).verdict, 'inert')
    assert.equal((await scanBytes('cat\ndog\nbird\n', 'labels.txt')).verdict, 'inert')
    assert.equal((await scanBytes('{"learner": {"a": [1, 2.5e3, NaN]}}\n', 'model.json')).verdict, 'inert')
    assert.equal((await scanBytes('{"a": 1}\n{"a": 2}\n', 'rows.jsonl')).verdict, 'inert')
    assert.equal((await scanBytes('tree\nversion=v4\nnum_class=1\n', 'model.lgb')).verdict, 'inert')
    assert.equal(
      (await scanBytes('{"a": !!python/object/apply:os.system ["id"]}', 'x.yaml')).verdict,
      'can execute code',
    )
    assert.equal((await scanBytes('import os\n', 'model.py')).verdict, 'can execute code')
    assert.equal((await scanBytes('{"a": ', 'model.bin')).verdict, 'not determined')
    await danger("cos\nsystem\n(S'id'\ntR.", 'os.system', 'labels.txt')
    await danger("cos\nsystem\n(S'id'\ntR is how\nthe story ends\n", 'os.system', 'story.txt')
  })

  it('knows the formats that hold numbers only, and doubts unknown bytes', async () => {
    const header = Buffer.from('{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}')
    const length = Buffer.alloc(8)
    length.writeUInt32LE(header.length)
    const tensors = Buffer.concat([length, header, Buffer.alloc(4)])
    assert.equal((await scanBytes(tensors)).verdict, 'inert')
    assert.equal((await scanBytes(Buffer.concat([tensors, Buffer.from('more')]))).verdict, 'not determined')
    assert.equal((await scanBytes(Buffer.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]))).verdict, 'not determined')
    assert.equal((await scanBytes('')).verdict, 'inert')
    const onnx = Buffer.from([0x08, 0x08, 0x12, 0x02, 0x70, 0x74, 0x3a, 0x02, 0x0a, 0x00])
    assert.equal((await scanBytes(onnx)).verdict, 'inert')
    assert.equal((await scanBytes(onnx.subarray(0, 8))).verdict, 'not determined')
  })

  it('sees that a safetensors file is a pickle as well', async () => {
    // The length of the header is chosen so that a pickle reads it as a string opcode and goes on in the tensors.
    const json = '{"w":{"dtype":"U8","shape":[64],"data_offsets":[0,64]}}'
    const total = 0x58 // X: BINUNICODE; its length is the next four bytes: 0
    const header = Buffer.from(json.padEnd(total, ' '))
    const prefix = Buffer.alloc(8)
    prefix.writeUInt32LE(total)
    // X 00000000 then 00: no opcode; the file is inert.
    assert.equal((await scanBytes(Buffer.concat([prefix, header, Buffer.alloc(64)]))).verdict, 'inert')
    // A header of 0x…58 bytes whose string swallows the rest of the prefix and the header.
    const large = 0x0158
    const wide = Buffer.alloc(8)
    wide.writeUInt32LE(large)
    const payload = Buffer.from("cos\nsystem\n(S'id'\ntR.".padEnd(64, 'x'), 'latin1')
    const body = Buffer.concat([wide, Buffer.from(json.padEnd(large, ' ')), payload])
    // BINUNICODE of 1 byte: position 5, then byte 6 is no opcode: harmless, and said so.
    assert.equal((await scanBytes(body)).verdict, 'inert')
    const long = 0x015a58
    const third = Buffer.alloc(8)
    third.writeUInt32LE(long)
    const swallowed = Buffer.from(json.padEnd(long, ' '))
    // X: a string of 0x00015a = 346 bytes from byte 5 on; the opcodes begin inside of the padded header.
    Buffer.from("cos\nsystem\n(S'id'\ntR.", 'latin1').copy(swallowed, 346 + 5 - 8)
    const polyglot = Buffer.concat([third, swallowed, Buffer.alloc(64)])
    assert.notEqual((await scanBytes(polyglot)).verdict, 'inert')
  })
})
