/** `store:` of mlops.yaml as a folder or as a branch that a team shares, and how `init --remote` writes it. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MlopsError } from '../../../src/core/errors.ts'
import { chosenSharing, sharedConfig } from '../../../src/project/init-sharing.ts'
import { loadProject } from '../../../src/project/load.ts'
import { rescueProject } from '../../../src/project/rescue.ts'

const folders: string[] = []
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

function folderWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'mlops-setting-'))
  folders.push(folder)
  writeFileSync(join(folder, 'mlops.yaml'), text)
  return folder
}

const configOf = async (text: string) => (await loadProject({ cwd: folderWith(text), env: {} })).config
const SHARED = { remote: 'origin', branch: 'mlops-store' }

describe('store: in mlops.yaml', () => {
  it('is a folder, which nobody shares', async () => {
    const { store, sharing } = await configOf('store: state\n')
    assert.deepEqual([store, sharing], ['state', undefined])
  })

  it('is a map with a remote, in braces or in lines; what is not said has its default', async () => {
    for (const text of [
      'store: {path: .mlops, remote: origin, branch: mlops-store}\n',
      'store:\n  remote: origin\n',
      'store:\n  path: .mlops\n  remote: "origin"\n',
    ]) {
      const { store, sharing } = await configOf(text)
      assert.deepEqual([store, sharing], ['.mlops', SHARED], text)
    }
  })

  it('is refused with its line where git would take it for something else', async () => {
    for (const [text, message] of [
      ['store:\n  remote: --upload-pack=x\n', /mlops\.yaml:2: store\.remote: a remote does not begin with "-"/],
      ['store:\n  remote: "ext::sh -c x"\n', /store\.remote/],
      ['store: {remote: origin, branch: "a..b"}\n', /store\.branch: no name of a branch/],
      ['store: {remotes: origin}\n', /did you mean remote/],
    ] as const) {
      await assert.rejects(configOf(text), (error: MlopsError) => {
        assert.match(error.message, message)
        return error.exit === 'usage'
      })
    }
  })

  it('is found in a file that is broken elsewhere, for a rollback at night', async () => {
    const folder = folderWith('store: {path: state, remote: origin, branch: mlops-store} # shared\nmodels: [\n')
    mkdirSync(join(folder, 'state'))
    writeFileSync(join(folder, 'state/registry.json'), '')
    const request = { cwd: folder, env: {} }
    const error = await loadProject(request).catch((problem: unknown) => problem)
    assert.equal(rescueProject(request, error).project.storeRoot, join(folder, 'state'))
  })
})

describe('mlops init --remote', () => {
  it('changes the line store:, and nothing else', () => {
    const line = 'store: {path: .mlops, remote: origin, branch: mlops-store}'
    assert.equal(
      sharedConfig('# a\nstore: .mlops   # here\nstages: [production]\n', '.mlops', SHARED),
      `# a\n${line}   # here\nstages: [production]\n`,
    )
    assert.equal(sharedConfig('store: ".mlops"\r\nmodels: {}\r\n', '.mlops', SHARED), `${line}\r\nmodels: {}\r\n`)
    assert.equal(sharedConfig('models: {}\n', '.mlops', SHARED), `${line}\nmodels: {}\n`)
  })

  it('says what to write where the line is not a plain one', () => {
    for (const [text, path] of [
      ['store:\n  path: .mlops\n', '.mlops'],
      ["store: 'it''s'\n", "it's"],
      ['store: >-\n  .mlops\n', '.mlops'],
    ] as const) {
      assert.throws(
        () => sharedConfig(text, path, SHARED),
        (error: MlopsError) => error.code === 'CONFIG_NOT_EDITABLE' && /store: \{path: /.test(error.hint ?? ''),
      )
    }
  })

  it('takes what mlops.yaml says, and refuses to say something else', async () => {
    const project = await loadProject({ cwd: folderWith('store: {remote: origin}\n'), env: {} })
    assert.deepEqual(chosenSharing({}, project, 'mlops-store'), SHARED)
    assert.deepEqual(chosenSharing({ remote: 'origin' }, project, 'mlops-store'), SHARED)
    assert.throws(() => chosenSharing({ remote: 'fork' }, project, 'mlops-store'), /shared as mlops-store of origin/)
    assert.throws(() => chosenSharing({ branch: 'x' }, undefined, 'mlops-store'), /no remote/)
    assert.equal(chosenSharing({}, undefined, 'mlops-store'), undefined)
  })
})
