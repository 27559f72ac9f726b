/** The workflows that the pages show are taken over as they stand, so they keep to what a careful team asks of one. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { load } from 'js-yaml'

const DOCS = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'docs')

interface Step {
  readonly uses?: string
  readonly run?: string
  readonly with?: Readonly<Record<string, unknown>>
}
interface Workflow {
  readonly permissions?: unknown
  readonly jobs?: Readonly<Record<string, { readonly permissions?: unknown; readonly steps: readonly Step[] }>>
}

describe('A workflow in the documentation', () => {
  const shown = readdirSync(DOCS)
    .filter((page) => page.endsWith('.md'))
    .flatMap((page) => workflowsOf(page))

  it('is shown for retraining and for a pull request', () => {
    assert.deepEqual(shown.map(({ page }) => page).sort(), ['gates.md', 'github.md'])
  })

  for (const { page, text, workflow } of shown) {
    const steps = Object.values(workflow.jobs ?? {}).flatMap((job) => job.steps)

    it(`(${page}) may do nothing but what each job says`, () => {
      assert.deepEqual(workflow.permissions, {})
      for (const job of Object.values(workflow.jobs ?? {})) assert.deepEqual(job.permissions, { contents: 'read' })
    })

    it(`(${page}) names the actions by commit, with the version beside it, and leaves no token behind`, () => {
      const lines = text.split('\n').filter((line) => line.includes('uses:'))
      assert.equal(lines.length, steps.filter((step) => step.uses !== undefined).length)
      for (const line of lines) assert.match(line, /uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
      const checkouts = steps.filter((step) => step.uses?.startsWith('actions/checkout@'))
      assert.equal(checkouts.length, 1)
      for (const step of checkouts) assert.equal(step.with?.['persist-credentials'], false)
    })

    it(`(${page}) puts nothing of an event into a script`, () => {
      const scripts = steps.flatMap((step) => step.run ?? [])
      assert.ok(scripts.length > 0)
      for (const script of scripts) assert.doesNotMatch(script, /\$\{\{/)
    })
  }
})

function workflowsOf(page: string): { page: string; text: string; workflow: Workflow }[] {
  const markdown = readFileSync(join(DOCS, page), 'utf8')
  return [...markdown.matchAll(/^```yaml\n([\s\S]*?)^```/gm)]
    .map((match) => match[1] ?? '')
    .filter((text) => /^jobs:$/m.test(text))
    .map((text) => ({ page, text, workflow: load(text) as Workflow }))
}
