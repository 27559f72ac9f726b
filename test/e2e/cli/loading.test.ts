/** What a command loads: read commands and help stay light, because every heavy package is behind a dynamic import. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { BINARY, cleanEnv, ROOT, type TempProject, tempProject } from '../harness.ts'

const HEAVY = [
  'execa',
  '@inquirer/prompts',
  '@inquirer/core',
  'zod',
  'valibot',
  'tar',
  '@duckdb/node-api',
  'simple-git',
]

/** Writes every module that Node resolves into the file that MLOPS_TEST_LOADED names. */
const HOOK = `
import { appendFileSync } from 'node:fs'
export async function resolve(specifier, context, next) {
  const result = await next(specifier, context)
  appendFileSync(process.env.MLOPS_TEST_LOADED, result.url + '\\n')
  return result
}`

describe('Loading', () => {
  let project: TempProject
  before(async () => {
    project = tempProject({ 'hook.mjs': HOOK, 'model.bin': 'a model' })
    project.write(
      'register.mjs',
      `import { register } from 'node:module'\nregister(${JSON.stringify(pathToFileURL(project.path('hook.mjs')).href)})\n`,
    )
    await project.mlops(['init', '--yes', '--name', 'churn-model'])
    await project.mlops(['register', 'churn-model', '--artifact', 'model.bin'])
  })

  for (const words of [
    ['--help'],
    ['status'],
    ['model', 'list'],
    ['model', 'show', 'churn-model'],
    ['complete', '--', 'promote', ''],
  ]) {
    it(`mlops ${words.join(' ')} loads nothing heavy`, () => {
      const packages = packagesLoadedBy(project, words)
      assert.ok(packages.size > 0, 'the hook saw nothing')
      assert.deepEqual(
        HEAVY.filter((name) => packages.has(name)),
        [],
      )
    })
  }

  it('mlops --version loads nothing of ours but its entry', () => {
    const loaded = modulesLoadedBy(project, ['--version']).filter((file) => !file.startsWith('node:'))
    assert.deepEqual(
      loaded.map((file) => relative(ROOT, file)),
      ['bin/run.js'],
    )
  })

  it('would be noticed: a drift check does load DuckDB', () => {
    project.write('data.csv', `x\n${Array.from({ length: 50 }, (_, i) => i).join('\n')}\n`)
    const packages = packagesLoadedBy(project, [
      'register',
      'churn-model',
      '--artifact',
      'data.csv',
      '--baseline',
      'data.csv',
    ])
    assert.ok(packages.has('@duckdb/node-api'))
  })
})

/** Absolute paths, and node:… */
function modulesLoadedBy(project: TempProject, words: readonly string[]): string[] {
  const log = project.path(`loaded-${words.join('-').replaceAll(/[^a-z-]/g, '')}.txt`)
  project.write(relative(project.dir, log), '')
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', pathToFileURL(project.path('register.mjs')).href, BINARY, ...words],
    {
      cwd: project.dir,
      env: cleanEnv({ MLOPS_TEST_LOADED: log }),
      encoding: 'utf8',
    },
  )
  assert.equal(status, 0, stderr)
  const urls = new Set(readFileSync(log, 'utf8').trim().split('\n'))
  return [...urls].map((url) => (url.startsWith('file:') ? fileURLToPath(url) : url))
}

/** Names of packages: those resolved in node_modules, and those bundled into a loaded chunk. */
function packagesLoadedBy(project: TempProject, words: readonly string[]): Set<string> {
  const { outputs } = JSON.parse(readFileSync(join(ROOT, '.cache/metafile.json'), 'utf8')) as {
    outputs: Record<string, { inputs: Record<string, unknown> }>
  }
  const files = modulesLoadedBy(project, words)
  const inputs = files.flatMap((file) => Object.keys(outputs[relative(ROOT, file)]?.inputs ?? {}))
  const names = [...files, ...inputs].map((file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1])
  return new Set(names.filter((name) => name !== undefined))
}
