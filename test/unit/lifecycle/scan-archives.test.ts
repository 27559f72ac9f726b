/** Zip files and joblib files that are one thing to one loader and another thing to the next. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { scanFile } from '../../../src/lifecycle/scan/scan.ts'
import { needsPython, PYTHON } from '../../support/python.ts'

/** Zip files as torch.save lays them out, written by Python's zipfile, and a joblib file for pickle.load. */
const SCRIPT = `
import collections, io, os, pathlib, pickle, sys, zipfile, joblib, numpy as np
out = pathlib.Path(sys.argv[1])
class Evil:
    def __reduce__(self): return os.system, ('true',)
class Tensor:
    def __reduce__(self): return collections.OrderedDict, ()
class Pickler(pickle.Pickler):
    def persistent_id(self, obj):
        return ('storage', dict, '0', 'cpu', 4) if isinstance(obj, bytes) else None
def torch(name, payload, extra=(), **options):
    buffer = io.BytesIO()
    Pickler(buffer, protocol=2).dump(payload)
    with zipfile.ZipFile(out / name, 'w', **options) as z:
        z.writestr('model/data.pkl', buffer.getvalue())
        z.writestr('model/byteorder', 'little')
        z.writestr('model/data/0', bytes(range(16)))
        z.writestr('model/version', '3')
        for key, value in extra: z.writestr(key, value)
torch('good.pt', collections.OrderedDict(w=b'0'))
torch('deflated.pt', collections.OrderedDict(w=b'0'), compression=zipfile.ZIP_DEFLATED)
torch('evil.pt', {'w': Evil()})
torch('evil-deflated.pt', {'w': Evil()}, compression=zipfile.ZIP_DEFLATED)
torch('script.pt', {}, [('model/code/model.py', 'def forward(self): pass')])
torch('constants.pt', {}, [('model/constants.pkl', pickle.dumps(Evil(), 2))])
torch('stranger.pt', {}, [('model/extra.bin', b'abc')])
with zipfile.ZipFile(out / 'other.zip', 'w') as z: z.writestr('__main__.py', 'import os')
np.savez(out / 'good.npz', a=np.arange(3))
joblib.dump({'a': np.arange(64, dtype='u1')}, out / 'array.joblib')
joblib.dump({'o': np.array(['x', {}], dtype=object)}, out / 'objects.joblib')
joblib.dump([{'steps': np.array(['x', 'y'], dtype=object)} for _ in range(50)], out / 'many-objects.joblib')
data = (out / 'array.joblib').read_bytes()
raw = bytes(range(64))
at = data.index(raw)
payload = b"cos\\nsystem\\n(S'touch %s'\\ntR." % str(out / 'touched').encode()
# Without the padding byte, as joblib before 1.2 wrote it, pickle.load runs into the array.
old = data[:at]
old = old[:old.rindex(b'\\x8c\\x1bnumpy_array_alignment_bytes')] + b'ub' 
class Old(joblib.numpy_pickle.NumpyArrayWrapper):
    pass
buffer = io.BytesIO()
array = np.frombuffer(payload.ljust(512, b'.'), dtype='u1')
wrapper = joblib.numpy_pickle.NumpyArrayWrapper(np.ndarray, array.shape, 'C', array.dtype)
del wrapper.numpy_array_alignment_bytes
pickle.dump(wrapper, buffer, protocol=2)
body = buffer.getvalue()
assert body.endswith(b'.')
(out / 'polyglot.joblib').write_bytes(body[:-1] + array.tobytes() + b'.')
`

/** A change of the bytes in place. */
const edited =
  (edit: (bytes: Buffer) => unknown) =>
  (bytes: Buffer): Buffer => {
    edit(bytes)
    return bytes
  }

describe('archives and mixtures', function () {
  this.timeout(60_000)
  let dir: string

  before(function () {
    needsPython(this)
    dir = mkdtempSync(join(tmpdir(), 'mlops-archives-'))
    execFileSync(PYTHON, ['-c', SCRIPT, dir])
  })
  after(() => dir && rmSync(dir, { recursive: true, force: true }))

  const scan = (name: string) => scanFile(join(dir, name))
  const change = async (name: string, edit: (bytes: Buffer) => Buffer) => {
    const path = join(dir, 'changed')
    writeFileSync(path, edit(Buffer.from(readFileSync(join(dir, name)))))
    return scanFile(path)
  }

  it('reads PyTorch files, compressed or not, and every pickle in them', async () => {
    assert.equal((await scan('good.pt')).verdict, 'known globals only')
    assert.equal((await scan('deflated.pt')).verdict, 'known globals only')
    for (const name of ['evil.pt', 'evil-deflated.pt', 'constants.pt']) {
      const { verdict, findings } = await scan(name)
      assert.equal(verdict, 'can execute code', name)
      assert.ok(findings.includes('posix.system'), name)
    }
  })

  it('takes TorchScript for code, and doubts entries and zip files it does not know', async () => {
    assert.equal((await scan('script.pt')).verdict, 'can execute code')
    assert.equal((await scan('stranger.pt')).verdict, 'not determined')
    assert.equal((await scan('other.zip')).verdict, 'not determined')
  })

  it('does not determine a zip file that two readers could read differently', async () => {
    const mangled: [string, (bytes: Buffer) => Buffer][] = [
      ['another local name', edited((bytes) => bytes.write('X', 30, 'latin1'))],
      ['another local method', edited((bytes) => bytes.writeUInt16LE(8, 8))],
      ['another local size', edited((bytes) => bytes.writeUInt32LE(7, 22))],
      ['an encrypted entry', edited((bytes) => bytes.writeUInt16LE(1, bytes.indexOf('PK\u0001\u0002') + 8))],
      [
        'a comment',
        (bytes) =>
          Buffer.concat([edited((whole) => whole.writeUInt16LE(3, whole.length - 2))(bytes), Buffer.from('abc')]),
      ],
      ['bytes behind', (bytes) => Buffer.concat([bytes, Buffer.from('abc')])],
      ['bytes before', (bytes) => Buffer.concat([Buffer.from('abc'), bytes])],
      ['a cut', (bytes) => bytes.subarray(0, bytes.length - 5)],
      ['a wrong count', edited((bytes) => bytes.writeUInt16LE(2, bytes.length - 12))],
    ]
    for (const [what, edit] of mangled) {
      assert.equal((await change('good.pt', edit)).verdict, 'not determined', what)
      assert.notEqual((await change('evil.pt', edit)).verdict, 'known globals only', what)
    }
  })

  it('passes over the arrays of joblib, and not over what only looks like one', async () => {
    for (const name of ['array.joblib', 'objects.joblib', 'many-objects.joblib']) {
      assert.equal((await scan(name)).verdict, 'known globals only', name)
    }
    // Two more items in the shape: the last bytes of the pickle would be taken for data.
    const longer = await change(
      'array.joblib',
      edited((bytes) => bytes.writeUInt8(66, bytes.indexOf(Buffer.from([0x4b, 64, 0x85])) + 1)),
    )
    assert.equal(longer.verdict, 'not determined')
    const renamed = await change(
      'array.joblib',
      edited((bytes) => bytes.write('readx', bytes.indexOf('order'), 'latin1')),
    )
    assert.equal(renamed.verdict, 'not determined', 'an attribute that joblib does not have')
  })

  it('sees that pickle.load would run what joblib.load takes for an array', async () => {
    const { verdict, findings } = await scan('polyglot.joblib')
    // Python is asked first: the file is what it claims to be.
    const load = (loader: string) => execFileSync(PYTHON, ['-c', `${loader}`], { cwd: dir, stdio: 'pipe' })
    load("import joblib; assert joblib.load('polyglot.joblib').nbytes == 512")
    assert.ok(!existsSync(join(dir, 'touched')))
    load("import pickle; pickle.load(open('polyglot.joblib', 'rb'))")
    assert.ok(existsSync(join(dir, 'touched')), 'pickle.load ran it')
    assert.equal(verdict, 'can execute code')
    assert.ok(findings.includes('os.system'))
  })
})
