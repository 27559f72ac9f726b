/** What people install: the packed tarball's contents, its run in an empty prefix, and every supported Node. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { list } from 'tar'
import { skipBecause } from '../../support/skip.ts'
import { buildOnce, cleanEnv, ROOT, type TempProject, tempProject } from '../harness.ts'

describe('The package', () => {
  let folder: TempProject
  let tarball: string
  let files: readonly string[]

  before(async () => {
    buildOnce()
    folder = tempProject()
    // Scripts are left out: prepack would build again, and others may be running dist/.
    const { status, stdout, stderr } = npm(
      ['pack', '--json', '--ignore-scripts', '--pack-destination', folder.dir],
      ROOT,
    )
    assert.equal(status, 0, stderr)
    // npm 10 prints an array, later ones an object by package name.
    const report = Object.values(JSON.parse(stdout))[0] as { filename: string }
    tarball = folder.path(report.filename)
    // From the tarball itself, not from npm's word.
    const entries: string[] = []
    await list({ file: tarball, strict: true, onReadEntry: ({ path }) => entries.push(path) })
    files = entries.map((path) => path.replace(/^package\//, ''))
  })

  it('holds the manifest, every command, the templates, the licence and the entry', () => {
    for (const file of ['oclif.manifest.json', 'bin/run.js', 'dist/ui/built.js', 'LICENSE', 'package.json']) {
      assert.ok(files.includes(file), `${file} is missing`)
    }
    const templates = readdirSync(join(ROOT, 'templates'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/__pycache__|\.pyc$/.test(join(entry.parentPath, entry.name)))
      .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1))
    for (const file of templates) assert.ok(files.includes(file), `${file} is missing`)
    const { commands } = JSON.parse(readFileSync(join(ROOT, 'oclif.manifest.json'), 'utf8'))
    for (const { id, relativePath } of Object.values(commands) as { id: string; relativePath: string[] }[]) {
      assert.ok(files.includes(relativePath.join('/')), `the module of ${id} is missing`)
    }
  })

  it('holds nothing of the tests, the sources or this machine', () => {
    const foreign = files.filter((file) =>
      /^(test|src|docs|\.ci|\.cache|node_modules)\/|\.test\.|__pycache__|metafile/.test(file),
    )
    assert.deepEqual(foreign, [])
    for (const file of files.filter((each) => /\.(js|json)$/.test(each))) {
      assert.ok(!readFileSync(join(ROOT, file), 'utf8').includes(ROOT), `${file} names the folder it was built in`)
    }
  })

  it('runs where it is installed into an empty prefix', function () {
    this.timeout(300_000)
    const prefix = folder.path('prefix')
    const args = ['install', '-g', '--prefix', prefix, '--prefer-offline', '--no-audit', '--no-fund', tarball]
    const { status, stderr } = npm(args, folder.dir)
    if (status !== 0 && /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH/.test(stderr)) {
      skipBecause(this, 'no package registry can be reached')
    }
    assert.equal(status, 0, stderr)
    const binary = join(prefix, 'bin/mlops')
    assert.ok(existsSync(binary))
    const project = tempProject({ 'model.bin': 'a model' })
    const mlops = (...words: readonly string[]) => {
      const result = spawnSync(binary, words, { cwd: project.dir, env: cleanEnv(), encoding: 'utf8' })
      assert.equal(result.status, 0, `mlops ${words.join(' ')}\n${result.stdout}${result.stderr}`)
      return result.stdout
    }
    assert.match(mlops('--version'), /^mlops \d/)
    assert.match(mlops('--help'), /THE LOOP/)
    mlops('init', '--yes', '--name', 'churn-model')
    mlops('register', 'churn-model', '--artifact', 'model.bin')
    assert.match(mlops('model', 'list'), /churn-model/)
  })

  for (const version of ['20.19.0', '22', '24']) {
    it(`runs on Node ${version}`, function () {
      this.timeout(300_000)
      const { status, stdout } = spawnSync(process.execPath, [join(ROOT, '.ci/smoke-node.js'), version], {
        encoding: 'utf8',
        env: cleanEnv(),
      })
      if (status === 77) skipBecause(this, stdout.trim())
      assert.equal(status, 0, stdout)
    })
  }
})

function npm(args: readonly string[], cwd: string) {
  return spawnSync(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, { cwd, encoding: 'utf8', env: cleanEnv() })
}
