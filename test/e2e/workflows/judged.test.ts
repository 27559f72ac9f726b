/* biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders are GitHub's and the shell's */
/** The generated workflows before the judges: actionlint, zizmor, GitHub's own parser, shellcheck, and the rules of ours. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } from '@actions/workflow-parser'
import { load } from 'js-yaml'
import { skipBecause } from '../../support/skip.ts'
import { ROOT } from '../harness.ts'
import { generate, HOSTILE, VARIANTS, workflowsIn } from './variants.ts'

type Tool = { readonly path: string } | { readonly missing: string }
type Step = {
  readonly run?: string
  readonly uses?: string
  readonly with?: Record<string, unknown>
  readonly env?: Record<string, string>
}
interface Job {
  readonly steps?: readonly Step[]
  readonly uses?: string
  readonly if?: string
  readonly permissions?: object
  readonly 'timeout-minutes'?: number
  readonly 'runs-on'?: unknown
}
interface Workflow {
  readonly on: { readonly schedule?: readonly { readonly cron: string }[] }
  readonly permissions: object
  readonly concurrency?: { readonly group?: string }
  readonly jobs: Readonly<Record<string, Job>>
}

/** What an expression of quoted text alone is to GitHub. */
const evaluated = (text: string): string => text.replaceAll("${{ '${{' }}", '${{')

type Judges = Readonly<Record<'actionlint' | 'zizmor' | 'shellcheck', Tool>>
let found: Judges | undefined

/** Made once: where they cannot be had, asking takes its time. */
function judges(): Judges {
  const setup = (): string =>
    spawnSync(process.execPath, [join(ROOT, '.ci/setup-workflow-tools.js')], { encoding: 'utf8' }).stdout
  found ??= JSON.parse(setup()) as Judges
  return found
}

for (const variant of VARIANTS) {
  describe(`Workflows: ${variant.title}`, function () {
    this.timeout(180_000)
    let folder: string
    let tools: Judges
    const texts = () => workflowsIn(folder)
    const parsed = () => texts().map(([name, text]) => [name, load(text) as Workflow] as const)
    const steps = () =>
      parsed().flatMap(([name, { jobs }]) =>
        Object.values(jobs).flatMap((job) => (job.steps ?? []).map((step) => [name, step] as const)),
      )

    before(async () => {
      tools = judges()
      folder = (await generate(variant)).folder
    })
    after(() => rmSync(folder, { recursive: true, force: true }))

    function judge(test: Mocha.Context, name: keyof typeof tools, args: readonly string[], input?: string): string {
      const tool = tools[name]
      if ('missing' in tool) skipBecause(test, `${name} cannot be had here: ${tool.missing}`)
      const { status, stdout, stderr, error } = spawnSync(tool.path, args, { cwd: folder, encoding: 'utf8', input })
      assert.equal(error, undefined)
      assert.equal(status, 0, `${name} ${args.join(' ')}\n${stdout}\n${stderr}`)
      return stdout + stderr
    }

    it('actionlint finds nothing', function () {
      // Labels of runners of their own are what a team tells actionlint.
      const labels = [variant.options.runner ?? []].flat()
      writeFileSync(join(folder, 'actionlint.yaml'), JSON.stringify({ 'self-hosted-runner': { labels } }))
      judge(this, 'actionlint', [
        '-config-file',
        'actionlint.yaml',
        '-shellcheck',
        'path' in tools.shellcheck ? tools.shellcheck.path : '',
        '-pyflakes',
        '',
      ])
    })

    it('zizmor finds nothing, not even when it is pedantic', function () {
      const said = judge(this, 'zizmor', ['--offline', '--persona=pedantic', '.github/workflows'])
      assert.match(said, /No findings to report/)
    })

    it('shellcheck finds nothing in any script and in any run', function () {
      const scripts = readdirSync(join(folder, '.github/mlops')).filter((name) => name.endsWith('.sh'))
      assert.ok(scripts.length > 8)
      judge(this, 'shellcheck', ['-x', ...scripts.map((name) => join('.github/mlops', name))])
      const runs = steps().flatMap(([, { run }]) => (run === undefined ? [] : [run]))
      assert.ok(runs.length > 8)
      for (const run of new Set(runs)) judge(this, 'shellcheck', ['--shell=bash', '-'], run)
    })

    it("GitHub's own parser takes each, and finds the jobs that are written there", async () => {
      for (const [name, content] of texts()) {
        const { context, value } = parseWorkflow({ name, content }, new NoOperationTraceWriter())
        assert.deepEqual(context.errors.getErrors().map(String), [], name)
        assert.ok(value !== undefined)
        const { jobs, errors } = await convertWorkflowTemplate(context, value)
        assert.deepEqual(
          [errors ?? [], jobs.map((job) => job.id.value)],
          [[], Object.keys((load(content) as Workflow).jobs)],
        )
      }
    })

    it('keeps the rules: no rights by default, pinned actions, nothing put into a script, an end to everything', () => {
      for (const [name, { permissions, concurrency, jobs, on }] of parsed()) {
        assert.deepEqual(permissions, {}, name)
        assert.ok(concurrency?.group !== undefined, name)
        for (const [id, job] of Object.entries(jobs)) {
          assert.ok(job.permissions !== undefined, `${name} ${id}`)
          assert.ok(job.uses !== undefined || (job['timeout-minutes'] ?? 0) > 0, `${name} ${id}`)
        }
        for (const { cron } of on.schedule ?? []) assert.ok(Number(cron.split(' ')[0]) % 15 !== 0, cron)
      }
      for (const [name, step] of steps()) {
        assert.ok(!step.run?.includes('${{'), `${name}: ${step.run}`)
        if (step.uses?.startsWith('actions/checkout@')) assert.equal(step.with?.['persist-credentials'], false, name)
      }
      for (const [name, text] of texts()) {
        const uses = [...text.matchAll(/^\s*(?:- )?uses: (?!\.\/)(.*)$/gm)].map(([, what = '']) => what)
        for (const what of uses) assert.match(what, /^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, name)
      }
    })

    it('nothing but production is deployed: neither a merged promotion nor a rollback of another stage', () => {
      for (const name of ['mlops-promote.yml', 'mlops-rollback.yml']) {
        const jobs = Object.values(parsed().find(([each]) => each === name)?.[1].jobs ?? {})
        assert.ok(jobs.length > 0, name)
        const calls = jobs.filter(({ uses }) => uses !== undefined)
        assert.equal(calls.length, variant.options.image === undefined ? 0 : 1)
        for (const call of calls) assert.match(call.if ?? '', /stage == 'production'$/)
      }
    })

    it('the settings are the values that were given, read back by bash and node', () => {
      const { options } = variant
      const said = spawnSync(
        'bash',
        [
          '-c',
          '. .github/mlops/settings.sh && settings_of "${MODELS%% *}" && printf "%s\\0" "$CURRENT" "$SERVICE" "$REQUIREMENTS" "$BRANCH" "$POLICY"',
        ],
        { cwd: folder, encoding: 'utf8' },
      )
      assert.equal(said.status, 0, said.stderr)
      const [current, service, requirements, branch] = said.stdout.split('\0')
      const model = parsed().length > 0 ? 'churn-model' : ''
      assert.equal(current, String(options.current ?? '').replaceAll('{model}', model))
      assert.equal(service, options.service ?? '')
      assert.equal(
        requirements,
        options.requirements ?? ('requirements.lock' in variant.files ? 'requirements.lock' : ''),
      )
      assert.equal(branch, options.branch ?? 'main')
      const { dependencies } = JSON.parse(readFileSync(join(folder, '.github/mlops/package.json'), 'utf8'))
      assert.equal(dependencies.mlops, options.mlops ?? '0.1.0')
    })

    it('what was given stays a value in the workflows', () => {
      const { options } = variant
      for (const [name, step] of steps()) {
        if (step.env?.MLOPS_STORE !== undefined)
          assert.equal(evaluated(step.env.MLOPS_STORE), options['runner-store'], name)
      }
      const labels = new Set(
        parsed().flatMap(([, { jobs }]) => Object.values(jobs).flatMap((job) => job['runs-on'] ?? [])),
      )
      const given = [options.runner ?? 'ubuntu-24.04'].flat().map(String)
      assert.deepEqual(
        [...labels].map((label) => evaluated(String(label))),
        given,
      )
    })

    if (variant.title.startsWith('hostile')) {
      it('none of it is run: the script of a person says what it was told, as words', () => {
        const said = spawnSync('bash', ['.github/mlops/train-churn-model.sh'], {
          cwd: folder,
          encoding: 'utf8',
          env: { PATH: `${join(folder, 'bin')}:${process.env.PATH}`, BASH_ENV: '' },
        })
        assert.notEqual(said.status, null)
        const text = readFileSync(join(folder, '.github/mlops/train-churn-model.sh'), 'utf8')
        assert.ok(text.includes(`'sh' '-c' '${HOSTILE.replaceAll("'", "'\\''")}'`), text)
      })
    }
    it('left nothing behind that a hostile name would have made', () => {
      assert.ok(!existsSync(join(folder, 'pwned')))
    })
  })
}

describe('Packages of the training on runners', () => {
  const files = { 'mlops.yaml': 'models: { m: {} }\nstore: { path: .mlops, remote: origin, branch: mlops-store }\n' }
  const options = { predictions: 'secret' }
  const made = async (more: Readonly<Record<string, string>>) => {
    const { folder, result } = await generate({ title: '', files: { ...files, ...more }, options })
    const settings = readFileSync(join(folder, '.github/mlops/settings.sh'), 'utf8')
    rmSync(folder, { recursive: true, force: true })
    return { result, requirements: /^REQUIREMENTS='(.*)'$/m.exec(settings)?.[1] }
  }

  it('are those of the project; without a file the headline says that the training cannot run', async () => {
    const { result, requirements } = await made({})
    assert.equal(requirements, '')
    assert.deepEqual(result.unready, ['runners install no Python packages for the training'])
    assert.match(result.warnings.join('\n'), /write requirements\.txt/)
  })

  it('may have no digests, and that is said', async () => {
    const { result, requirements } = await made({ 'requirements.txt': 'scikit-learn\n' })
    assert.deepEqual([requirements, result.unready], ['requirements.txt', []])
    assert.match(result.warnings.join('\n'), /requirements\.txt has no digests/)
  })
})

describe('The judges of workflows', function () {
  this.timeout(180_000)
  const BAD = `on: pull_request_target
jobs:
  job:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
      - run: echo \${{ github.event.pull_request.title }}
      - run: rm $HOME/*/$x
        iff: true
`
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'mlops-bad-'))
    mkdirSync(join(folder, '.github/workflows'), { recursive: true })
    writeFileSync(join(folder, '.github/workflows/bad.yml'), BAD)
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  for (const [name, args, input, said] of [
    ['actionlint', ['.github/workflows/bad.yml'], undefined, /potentially untrusted/],
    ['zizmor', ['--offline', '.github/workflows'], undefined, /template-injection[\s\S]*unpinned-uses|unpinned-uses/],
    ['shellcheck', ['--shell=bash', '-'], 'rm $HOME/*/$x', /SC2086/],
  ] as const) {
    it(`are awake: ${name} sees what is wrong`, function () {
      const tool = judges()[name]
      if ('missing' in tool) skipBecause(this, `${name} cannot be had here: ${tool.missing}`)
      const { status, stdout, stderr } = spawnSync(tool.path, args, { cwd: folder, encoding: 'utf8', input })
      assert.notEqual(status, 0)
      assert.match(stdout + stderr, said)
    })
  }

  it("are awake: GitHub's parser sees the key that there is not", () => {
    const { context } = parseWorkflow({ name: 'bad.yml', content: BAD }, new NoOperationTraceWriter())
    assert.match(context.errors.getErrors().map(String).join(), /iff/)
  })
})
