/**
 * Data that DVC knows: its word is found and compared with the bytes. The `.dvc` and `dvc.lock` files here were written
 * by DVC 3.67.1, and where it says so by 2.58.2; with MLOPS_TEST_DVC=/path/to/dvc a real DVC writes them anew.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { DvcEntry } from '../../../src/store/run-records.ts'
import { recordData } from '../../../src/tracking/capture/data-record.ts'
import { skipBecause } from '../../support/skip.ts'
import { type Workshop, workshop } from './support.ts'

const CSV = 'a,b\n1,2\n'
const CSV_MD5 = 'e5ebd4c02cefbe7955977c67ada242b7'
const IMAGES = { 'data/imgs/x.png': 'x', 'data/imgs/sub/y.png': 'y', 'data/imgs/ä.png': 'z' }
const IMAGES_MD5 = '9f036746ad5990dbb74cdb1cd3a2bc51.dir'

describe('Data that DVC knows', () => {
  let shop: Workshop
  beforeEach(async () => {
    shop = await workshop({ 'data/train.csv': CSV, ...IMAGES, 'dvc-project': '' })
    mkdirSync(join(shop.root, '.dvc'))
  })
  afterEach(() => shop.remove())
  const record = async (path: string, cwd = shop.root): Promise<{ dvc: DvcEntry | undefined; notes: unknown }> => {
    const request = { cwd, rehash: false, snapshot: false }
    const { data, notes } = await recordData(shop.store, { name: 'it', path }, request)
    return { dvc: data.dvc, notes }
  }

  it('is matched to the .dvc file beside a file or folder, and differs once a byte does', async () => {
    shop.write('data/train.csv.dvc', `outs:\n- md5: ${CSV_MD5}\n  size: 8\n  hash: md5\n  path: train.csv\n`)
    shop.write('data/imgs.dvc', `outs:\n- md5: ${IMAGES_MD5}\n  size: 3\n  nfiles: 3\n  hash: md5\n  path: imgs\n`)
    assert.deepEqual(await record('data/train.csv'), {
      dvc: { file: 'data/train.csv.dvc', md5: CSV_MD5, matches: true },
      notes: [],
    })
    assert.deepEqual((await record('imgs/', join(shop.root, 'data'))).dvc, {
      file: 'imgs.dvc',
      md5: IMAGES_MD5,
      matches: true,
    })
    shop.write('data/train.csv', 'a,b\n1,3\n')
    shop.write('data/imgs/new.png', '')
    const file = await record('data/train.csv')
    assert.equal(file.dvc?.matches, false)
    assert.deepEqual(file.notes, ['data it: data/train.csv is not what data/train.csv.dvc says'])
    const folder = await record('data/imgs')
    assert.deepEqual([folder.dvc?.matches, folder.dvc?.md5], [false, IMAGES_MD5])
    assert.deepEqual(folder.notes, ['data it: data/imgs is not what data/imgs.dvc says'])
    shop.write('.dvcignore', '# none\n\n*.png\n')
    assert.deepEqual((await record('data/imgs')).notes, [
      'data it: data/imgs is not what data/imgs.dvc says (.dvcignore was not applied)',
    ])
  })

  it('is matched the same when nothing is read again', async () => {
    shop.write('data/imgs.dvc', `outs:\n- md5: ${IMAGES_MD5}\n  hash: md5\n  path: imgs\n`)
    await new Promise((resolve) => setTimeout(resolve, 2_100))
    // Once without DVC's digest remembered, once with it.
    const { hashFolder } = await import('../../../src/tracking/capture/folder-hash.ts')
    await hashFolder(join(shop.root, 'data/imgs'), { store: shop.store.root })
    for (let n = 0; n < 2; n++) assert.equal((await record('data/imgs')).dvc?.matches, true)
  })

  it('is found with wdir, several outputs, and what DVC writes for imports and clouds', async () => {
    shop.write(
      'all.dvc',
      `md5: 11111111111111111111111111111111
frozen: true
deps:
- path: get-started/data.csv
  repo:
    url: https://example.com/registry
    rev_lock: f31f5c4cdae787b4bdeb97a717687d44667d9e62
wdir: data
desc: "everything: the lot"
meta: {owner: [ada, 1]}
outs:
- md5: ${CSV_MD5}
  size: 8
  hash: md5
  cloud:
    aws: {etag: 8f2a, version_id: x}
  path: train.csv
- hash: md5
  path: imgs
  files:
  - {relpath: x.png, md5: 9dd4e461268c8034f5c8564e155c67a6, size: 1, cloud: {aws: {etag: a}}}
  - {relpath: ä.png, md5: fbade9e36a3f36d3d676c1b808451dd7, size: 1}
  - {relpath: sub/y.png, md5: 415290769594460e2e485922904f345d, size: 1}
`,
    )
    // The file lies beside the folder, not beside the data: only a .dvc in the folder of the data speaks for it.
    assert.equal((await record('data/train.csv')).dvc, undefined)
    shop.write('data/all.dvc', shop.read('all.dvc').replace('wdir: data', 'wdir: .'))
    assert.deepEqual((await record('data/train.csv')).dvc, { file: 'data/all.dvc', md5: CSV_MD5, matches: true })
    assert.deepEqual((await record('data/imgs')).dvc, { file: 'data/all.dvc', md5: IMAGES_MD5, matches: true })
  })

  it('is matched to the stage of a dvc.lock that makes it, else to one that needs it', async () => {
    shop.write('data/prep.csv', CSV)
    shop.write('data/eu.csv', CSV)
    shop.write(
      'dvc.yaml',
      `stages:
  prep: {wdir: data, cmd: cp train.csv prep.csv, deps: [train.csv, imgs], outs: [prep.csv]}
  each:
    foreach: [eu, us]
    do: {wdir: data, cmd: "cp train.csv \${item}.csv", deps: [train.csv], outs: ["\${item}.csv"]}
`,
    )
    const entry = (path: string, md5: string) =>
      `    - path: ${path}\n      hash: md5\n      md5: ${md5}\n      size: 8\n`
    shop.write(
      'dvc.lock',
      `schema: '2.0'
stages:
  prep:
    cmd: cp train.csv prep.csv
    deps:
${entry('imgs', IMAGES_MD5)}${entry('train.csv', CSV_MD5)}    params:
      params.yaml:
        depth: 3
    outs:
${entry('prep.csv', CSV_MD5)}  each@eu:
    cmd: cp train.csv eu.csv
    deps:
${entry('train.csv', CSV_MD5)}    outs:
${entry('eu.csv', CSV_MD5.replace('e5', '00'))}  train:
    cmd: train
    deps:
${entry('data/eu.csv', CSV_MD5)}`,
    )
    const lock = { file: 'dvc.lock', md5: CSV_MD5, matches: true }
    assert.deepEqual((await record('data/prep.csv')).dvc, { ...lock, stage: 'prep' })
    assert.deepEqual((await record('data/train.csv')).dvc, { ...lock, stage: 'prep' })
    assert.deepEqual((await record('prep.csv', join(shop.root, 'data'))).dvc, {
      ...lock,
      file: '../dvc.lock',
      stage: 'prep',
    })
    assert.equal((await record('data/imgs')).dvc?.matches, true)
    const stale = await record('data/eu.csv')
    assert.deepEqual([stale.dvc?.stage, stale.dvc?.matches], ['each@eu', false])
    assert.deepEqual(stale.notes, ['data it: data/eu.csv is not what dvc.lock says of the stage each@eu'])
    assert.equal((await record('dvc-project')).dvc, undefined)
  })

  it('of DVC 2 has the digest of text with the line ends of Unix', async () => {
    shop.write('data/crlf.csv', 'a,b\r\n1,2\r\n')
    shop.write('data/crlf.csv.dvc', `outs:\n- md5: ${CSV_MD5}\n  size: 10\n  path: crlf.csv\n`)
    shop.write('data/d/t.txt', 'x\r\ny')
    shop.write('data/d/b.bin', Buffer.from([0, 13, 10]))
    shop.write('data/d.dvc', 'outs:\n- md5: b94d32444045329208588a86860bca6d.dir\n  size: 7\n  nfiles: 2\n  path: d\n')
    assert.equal((await record('data/crlf.csv')).dvc?.matches, true)
    assert.equal((await record('data/d')).dvc?.matches, true)
    shop.write('data/crlf.csv.dvc', `outs:\n- md5: ${CSV_MD5}\n  hash: md5\n  size: 10\n  path: crlf.csv\n`)
    assert.equal((await record('data/crlf.csv')).dvc?.matches, false)
  })

  it('is no reason to fail, whatever stands in the files of DVC', async () => {
    for (const text of [
      '',
      '[]',
      'outs: 3',
      'outs: [{path: train.csv}]',
      '{',
      '\u0000',
      'outs:\n- &a [*a]',
      'a: 1\na: 2',
    ]) {
      shop.write('data/train.csv.dvc', text)
      shop.write('dvc.lock', text)
      shop.write('dvc.yaml', text)
      assert.deepEqual(await record('data/train.csv'), { dvc: undefined, notes: [] }, text)
    }
    mkdirSync(join(shop.root, 'data/imgs.dvc'))
    symlinkSync('/dev/zero', join(shop.root, 'data/other.dvc'))
    assert.deepEqual(await record('data/imgs'), { dvc: undefined, notes: [] })
  })

  describe('with the real DVC', () => {
    const program = process.env.MLOPS_TEST_DVC
    before(function () {
      if (program === undefined) skipBecause(this, 'MLOPS_TEST_DVC does not name a dvc program')
    })
    const dvc = (...words: string[]): void => {
      const options = { cwd: shop.root, stdio: 'pipe' as const, env: { ...process.env, DVC_NO_ANALYTICS: '1' } }
      execFileSync(program ?? '', words, { ...options, env: withPath(options.env) })
    }
    /** Its stages call it by name. */
    const withPath = (env: NodeJS.ProcessEnv) => ({ ...env, PATH: `${dirname(program ?? '')}:${env.PATH}` })

    it('matches files, folders, parts of folders, stages, and links into its cache', async () => {
      execFileSync('git', ['init', '-q'], { cwd: shop.root })
      dvc('init', '-q', '-f')
      dvc('add', '-q', 'data/train.csv', 'data/imgs')
      shop.write(
        'dvc.yaml',
        'stages:\n  prep:\n    wdir: data\n    cmd: mkdir out && cp train.csv out/a.csv && cp train.csv p.csv\n    deps: [train.csv]\n    outs: [out, p.csv]\n',
      )
      dvc('repro', '-q')
      const matched = async (path: string) => {
        const { dvc: entry, notes } = await record(path)
        assert.deepEqual(notes, [], path)
        return [entry?.file, entry?.stage, entry?.matches]
      }
      const check = async (): Promise<void> => {
        assert.deepEqual(await matched('data/train.csv'), ['data/train.csv.dvc', undefined, true])
        assert.deepEqual(await matched('data/imgs'), ['data/imgs.dvc', undefined, true])
        assert.deepEqual(await matched('data/imgs/sub'), ['data/imgs.dvc', undefined, true])
        assert.deepEqual(await matched('data/imgs/ä.png'), ['data/imgs.dvc', undefined, true])
        assert.deepEqual(await matched('data/out'), ['dvc.lock', 'prep', true])
        assert.deepEqual(await matched('data/p.csv'), ['dvc.lock', 'prep', true])
      }
      await check()
      dvc('config', 'cache.type', 'symlink')
      dvc('checkout', '-q', '--relink')
      await check()
      shop.write('data/imgs/more.png', 'm')
      assert.equal((await record('data/imgs')).dvc?.matches, false)
      assert.equal((await record('data/imgs/more.png')).dvc, undefined)
    })

    it('matches 2,000 files with names of every kind', async () => {
      execFileSync('git', ['init', '-q'], { cwd: shop.root })
      dvc('init', '-q', '-f')
      const odd = ['"q"', 'ä', '😀', '\uff5e', 'a b', 'Z', 'a-', 'a/b', 'é', 'line\nbreak']
      for (const name of odd) shop.write(`many/${name}x/${name}y`, name)
      for (let n = 0; n < 2000; n++) shop.write(`many/${n % 13}/${n}`, String(n))
      dvc('add', '-q', 'many')
      assert.equal((await record('many')).dvc?.matches, true)
      // What DVC says does not depend on where it stands.
      cpSync(join(shop.root, 'many'), join(shop.root, 'copy'), { recursive: true })
      writeFileSync(join(shop.root, 'copy.dvc'), shop.read('many.dvc').replace('path: many', 'path: copy'))
      assert.equal((await record('copy')).dvc?.matches, true)
    })
  })
})
