/** The generated Dockerfile and compose file, read as builders read them, also when every text wants to be an instruction. */
import assert from 'node:assert/strict'
import { load } from 'js-yaml'
import { baseImageOf, imageName, labelsOf } from '../../../../src/scaffold/docker/names.ts'
import { renderTemplates } from '../../../../src/scaffold/render.ts'
import { type Dockerfile, pairsOf, parseDockerfile, type Stage } from '../../../support/dockerfile.ts'
import { HOSTILE } from '../hostile.ts'

const SERVICE = { model: 'churn-model', stage: 'production', python: '3.11', isLocked: true, system: ['libgomp1'] }
const FACTS = { version: 3, manifest: 'a'.repeat(64), commit: `${'b'.repeat(40)}-dirty`, data: 'c'.repeat(64) }

async function files(more: Readonly<Record<string, unknown>> = {}): Promise<Record<string, string>> {
  const labels = labelsOf([])
  const values = { ...SERVICE, ...FACTS, baseImage: 'python:3.11-slim', labels, image: 'churn-model', ...more }
  return Object.fromEntries((await renderTemplates('docker', { values })).map(({ path, content }) => [path, content]))
}

const parsed = async (more?: Readonly<Record<string, unknown>>): Promise<Dockerfile> =>
  parseDockerfile((await files(more)).Dockerfile ?? '')

function stageOf({ stages }: Dockerfile, name: string): Stage {
  const found = stages.find((stage) => stage.name === name)
  assert.ok(found !== undefined, `no stage ${name}`)
  return found
}

/** The stages that a stage consists of, the base first. */
function chain(file: Dockerfile, name: string): Stage[] {
  const stage = stageOf(file, name)
  return file.stages.some(({ name: each }) => each === stage.from) ? [...chain(file, stage.from), stage] : [stage]
}

const texts = (stages: readonly Stage[], keyword: string): string[] =>
  stages.flatMap(({ instructions }) => instructions.filter((each) => each.keyword === keyword).map(({ text }) => text))

function labelsIn(file: Dockerfile, name: string): Record<string, string> {
  const variables: Record<string, string> = {}
  const labels: Record<string, string> = {}
  for (const { instructions } of chain(file, name)) {
    for (const { keyword, text } of instructions) {
      if (keyword === 'ARG') for (const key of Object.keys(pairsOf(text, {}))) variables[key] = file.args[key] ?? ''
      if (keyword === 'LABEL') Object.assign(labels, pairsOf(text, variables))
    }
  }
  return labels
}

describe('A generated Dockerfile', () => {
  it('takes its base from one argument, in every stage', async () => {
    const file = await parsed()
    assert.equal(file.args.BASE_IMAGE, 'python:3.11-slim')
    assert.deepEqual(
      file.stages.map(({ name, from }) => [name, from]),
      [
        // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the Dockerfile
        ['base', '${BASE_IMAGE}'],
        ['packages', 'base'],
        ['model', 'base'],
        ['following', 'base'],
        ['baked', 'following'],
      ],
    )
  })

  it('runs as a number that is not root, from there to the end', async () => {
    const file = await parsed()
    assert.deepEqual(texts(chain(file, 'baked'), 'USER'), ['10001:10001'])
  })

  it('installs by digests alone and checks what it installed, and leaves no pip behind', async () => {
    const [run = ''] = texts([stageOf(await parsed(), 'packages')], 'RUN')
    assert.match(run, /install --no-cache-dir --require-hashes --requirement \/build\/requirements\.txt\s+&&/)
    assert.match(run, /&& python -m pip --python \/opt\/venv\/bin\/python check$/)
    assert.match(run, /venv --without-pip/)
    const [loose = ''] = texts([stageOf(await parsed({ isLocked: false }), 'packages')], 'RUN')
    assert.doesNotMatch(loose, /require-hashes/)
  })

  it('has the model in a layer of its own, and then runs its golden predictions', async () => {
    const baked = stageOf(await parsed(), 'baked').instructions.filter(({ keyword }) => keyword !== 'ARG')
    assert.deepEqual(
      baked.map(({ keyword, text, flags }) => [keyword, keyword === 'LABEL' ? '' : text, flags.from ?? '']),
      [
        ['COPY', '/bundle ./bundle', 'model'],
        ['RUN', 'python -m app.following --check', ''],
        ['LABEL', '', ''],
      ],
    )
  })

  it('starts without a shell, and asks for its health without curl', async () => {
    const file = await parsed()
    const [command = ''] = texts(chain(file, 'baked'), 'CMD')
    assert.deepEqual(JSON.parse(command), ['uvicorn', 'app.main:app', '--no-access-log'])
    const [health = ''] = texts(chain(file, 'baked'), 'HEALTHCHECK')
    assert.deepEqual(JSON.parse(health.replace(/^CMD /, '')), ['python', 'docker/healthcheck.py'])
  })

  it('installs the OpenMP of the system for models that need it, and nothing else of Debian', async () => {
    assert.match(texts([stageOf(await parsed(), 'base')], 'RUN').join(), / libgomp1\s+&& rm -rf \/var\/lib\/apt\/lists/)
    assert.deepEqual(texts([stageOf(await parsed({ system: [] }), 'base')], 'RUN'), [])
  })

  it('uses neither linked copies nor mounts, which not every builder has', async () => {
    const { stages } = await parsed()
    const flags = new Set(stages.flatMap(({ instructions }) => instructions.flatMap((each) => Object.keys(each.flags))))
    assert.deepEqual([...flags].sort(), ['from', 'interval', 'retries', 'start-period', 'timeout'])
  })

  it('says in labels which model, version, commit and data are inside', async () => {
    assert.deepEqual(labelsIn(await parsed(), 'baked'), {
      'org.opencontainers.image.title': 'churn-model',
      'org.opencontainers.image.version': '3',
      'org.opencontainers.image.revision': 'unknown',
      'mlops.model': 'churn-model',
      'mlops.version': '3',
      'mlops.manifest': FACTS.manifest,
      'mlops.commit': FACTS.commit,
      'mlops.data': FACTS.data,
    })
  })

  it('sees only what it copies', async () => {
    const { Dockerfile: text = '', '.dockerignore': ignore = '' } = await files()
    const rules = ignore.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    assert.equal(rules[0], '*')
    const allowed = rules.filter((rule) => rule.startsWith('!')).map((rule) => rule.slice(1))
    const copied = parseDockerfile(text)
      .stages.flatMap(({ instructions }) => instructions)
      .filter(({ keyword, flags }) => keyword === 'COPY' && flags.from === undefined)
      .flatMap((each) => each.text.split(/\s+/).slice(0, -1))
    assert.deepEqual([...new Set(copied)].sort(), allowed.sort())
  })

  it('keeps every hostile text one label, and has the same instructions as without', async () => {
    const labels = labelsOf(HOSTILE.map((text, at) => `x.label-${at}=${text}`))
    const plain = await parsed()
    const file = await parsed({ labels, baseImage: 'python:3.11-slim' })
    const shape = ({ stages }: Dockerfile) =>
      stages.map(({ from, name, instructions }) => [from, name, instructions.map(({ keyword }) => keyword)])
    assert.deepEqual(shape(file), shape(plain))
    const found = labelsIn(file, 'baked')
    for (const [at, text] of HOSTILE.entries()) {
      // What ends a line, or is not seen, cannot be written in a Dockerfile: a blank stands for it.
      assert.equal(found[`x.label-${at}`], text.replace(/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, ' '))
    }
  })
})

describe('A generated compose file', () => {
  // biome-ignore lint/suspicious/noExplicitAny: what stands in it is what is asked
  const compose = async (more = {}): Promise<any> => load((await files(more))['compose.yaml'] ?? '')

  it('runs the version inside with a read-only root and no rights', async () => {
    const { services } = await compose()
    for (const each of [services.baked, services.following]) {
      assert.equal(each.read_only, true)
      assert.deepEqual([each.tmpfs, each.cap_drop, each.security_opt], [['/tmp'], ['ALL'], ['no-new-privileges:true']])
    }
    assert.equal(services.baked.build.target, 'baked')
    assert.equal(services.baked.environment.MLOPS_STORE, undefined)
  })

  it('mounts a store for the image that follows it, only when that is asked for', async () => {
    const { services } = await compose()
    assert.deepEqual(services.following.profiles, ['store'])
    assert.equal(services.following.build.target, 'following')
    const [mount] = services.following.volumes
    assert.equal(mount.target, services.following.environment.MLOPS_STORE)
    assert.equal(mount.bind.create_host_path, false)
  })
})

describe('Names of images', () => {
  it('are made of any name of a model', () => {
    assert.deepEqual(['churn-model', 'Churn_Model.v2', 'a--b', 'X.'].map(imageName), [
      'churn-model',
      'churn-model-v2',
      'a-b',
      'x',
    ])
  })

  it('are refused as a base when they are anything but a reference', () => {
    const service = { ...SERVICE, python: '3.9' }
    assert.equal(baseImageOf(undefined, service), 'python:3.9-slim')
    for (const fine of ['python:3.11-slim', `ghcr.io/acme/py:3.11@sha256:${'a'.repeat(64)}`, 'localhost:5000/base'])
      assert.equal(baseImageOf(fine, service), fine)
    for (const text of HOSTILE.filter((each) => each !== 'plain' && each !== 'no' && each !== 'null'))
      if (!/^\w+$/.test(text)) assert.throws(() => baseImageOf(text, service), /is no reference to an image/, text)
  })

  it('of labels are refused where they are none, or would replace one that is true', () => {
    for (const text of ['novalue', 'UPPER=x', 'a b=x', 'a\nFROM=x', '=x', '$X=y', 'mlops.version=9'])
      assert.throws(() => labelsOf([text]), /--label/)
    assert.deepEqual(labelsOf(['a.b=1=2']), [['a.b', '1=2']])
  })
})
