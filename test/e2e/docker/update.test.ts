/** `mlops scaffold docker` on real projects: where it goes, what it needs, and what an update does. No image is built. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import type { TempProject } from '../harness.ts'
import { M, registerOn, SCAFFOLD, scaffoldProject } from '../scaffold/project.ts'

const BASE = ['--base-image', 'python:3.11-slim']

describe('mlops scaffold docker', function () {
  this.timeout(60_000)
  let project: TempProject
  before(async () => {
    project = await scaffoldProject()
  })

  it('needs a service, and says how to get one', async () => {
    const { stderr } = await project.mlops(['scaffold', 'docker', M], { code: 2 })
    assert.match(stderr, /There is no service in [\s\S]*mlops scaffold fastapi churn-model/)
    assert.equal(existsSync(project.path('service')), false)
  })

  it('goes where the service was put, and asks for a base where nobody recorded the Python', async () => {
    await project.mlops([...SCAFFOLD, '--dir', 'apps/churn'])
    const { stderr } = await project.mlops(['scaffold', 'docker'], { code: 2 })
    assert.match(stderr, /--base-image python:3\.12-slim/)
    const { json } = await project.mlops(['scaffold', 'docker', ...BASE, '--json'])
    assert.equal(json.data.folder, 'apps/churn')
    assert.deepEqual(json.data.answers['base-image'], 'python:3.11-slim')
    assert.match(json.warnings.concat(json.data.warnings).join('\n'), /requirements\.txt has no digests/)
    assert.match(json.data.warnings.join('\n'), /has no golden predictions/)
    assert.match(project.read('apps/churn/docker/.gitignore'), /model\.tar/)
  })

  it('brings the labels to the next version without asking again, and keeps what was edited', async () => {
    const file = 'apps/churn/Dockerfile'
    assert.match(project.read(file), /^ARG MODEL_VERSION="1"$/m)
    project.write(file, project.read(file).replace('COPY app ./app\n', 'COPY app ./app\nCOPY rules ./rules\n'))
    await registerOn(project, ['basic', 'pro'])
    await project.mlops(['scaffold', 'docker', '--check'], { code: 3 })
    await project.mlops(['scaffold', 'docker'])
    assert.match(project.read(file), /^ARG MODEL_VERSION="2"$/m)
    assert.match(project.read(file), /^ARG BASE_IMAGE="python:3\.11-slim"$/m)
    assert.match(project.read(file), /^COPY rules \.\/rules$/m)
    await project.mlops(['scaffold', 'docker', '--check'])
  })

  it('is listed by scaffold status, beside the service', async () => {
    const { json } = await project.mlops(['scaffold', 'status', '--json'])
    assert.deepEqual(
      json.data.scaffolds.map(({ kind, folder }: { kind: string; folder: string }) => [kind, folder]),
      [
        ['docker', 'apps/churn'],
        ['fastapi', 'apps/churn'],
      ],
    )
  })

  it('refuses another model, a base that is no image, and labels that would say something else', async () => {
    for (const [words, said] of [
      [['other'], /has the service of churn-model, not of other/],
      [['--base-image', 'x\nRUN id'], /is no reference to an image/],
      [['--label', 'mlops.version=9'], /would replace a label that says what is in the image/],
    ] as const)
      assert.match((await project.mlops(['scaffold', 'docker', ...words], { code: 2 })).stderr, said)
    await project.mlops(['scaffold', 'docker', '--check'])
  })
})
