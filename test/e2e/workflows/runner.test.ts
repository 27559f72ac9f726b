/* biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders are GitHub's */
/** The runner of workflows that the other tests here rely on: does it do what GitHub does? */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { skipBecause } from '../../support/skip.ts'
import { holds } from '../../support/workflow-runner/expressions.ts'
import { runWorkflow } from '../../support/workflow-runner/run.ts'

describe('The runner of workflows in tests', function () {
  this.timeout(60_000)
  let folder: string
  before(function () {
    if (process.platform === 'win32') skipBecause(this, 'the runner needs bash')
    folder = mkdtempSync(join(tmpdir(), 'mlops-runner-'))
    const git = (...words: string[]) =>
      execFileSync('git', ['-C', folder, '-c', 'user.name=a', '-c', 'user.email=a@b', ...words])
    git('init', '-q', '-b', 'main')
    writeFileSync(join(folder, 'code.txt'), 'code')
    git('add', '.')
    git('commit', '-q', '-m', 'one')
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  const run = (steps: string, more: string = '') =>
    runWorkflow({
      workflow: `on: push\njobs:\n  one:\n    outputs: { said: "\${{ steps.say.outputs.text }}" }\n    steps:\n${steps}\n${more}`,
      event: { name: 'push', payload: { title: '$(touch pwned)"; exit 7' } },
      inputs: { name: 'ada' },
      repository: join(folder, '.git'),
      ref: 'main',
      secrets: { KEY: 'hunter2-hunter2' },
      token: 'token-of-the-job',
      env: { PATH: process.env.PATH ?? '' },
      github: { repository: 'acme/churn', actor: 'ada' },
    })

  it('runs steps in bash in a checkout, hands outputs on, and keeps the summary', async () => {
    const { conclusion, jobs, log } = await run(
      `      - uses: actions/checkout@v5
      - id: say
        env: { NAME: "\${{ inputs.name }}", TITLE: "\${{ github.event.title }}" }
        run: |
          printf 'text<<END\\nhello %s\\n%s\\nEND\\n' "$NAME" "$TITLE" >> "$GITHUB_OUTPUT"
          cat code.txt >> "$GITHUB_STEP_SUMMARY"
      - run: echo "FROM=\${{ steps.say.outputs.text && 'say' }}" >> "$GITHUB_ENV"
      - run: echo "got $FROM"`,
      `  two:
    needs: one
    if: startsWith(needs.one.outputs.said, 'hello')
    steps:
      - run: test ! -e code.txt`,
    )
    assert.equal(conclusion, 'success', log)
    assert.equal(jobs.one?.outputs.said, 'hello ada\n$(touch pwned)"; exit 7')
    assert.equal(jobs.one?.summary, 'code')
    assert.match(log, /got say/)
    assert.equal(jobs.two?.result, 'success')
  })

  it('stops at the first failure, but for steps that ask for it, and skips what needs the job', async () => {
    const { conclusion, jobs, log } = await run(
      `      - run: exit 3
      - run: echo never
      - if: always()
        run: echo afterwards
      - if: \${{ failure() && inputs.name == 'ada' }}
        run: echo sorry`,
      `  two:
    needs: one
    steps:
      - run: echo never`,
    )
    assert.equal(conclusion, 'failure')
    assert.deepEqual([jobs.one?.result, jobs.two?.result], ['failure', 'skipped'])
    assert.match(log, /exit code 3[\s\S]*afterwards[\s\S]*sorry/)
    assert.doesNotMatch(log, /never/)
  })

  it('masks secrets and what a step asks to mask; knows no action that is not in its table', async () => {
    const { log } = await run(
      `      - env: { KEY: "\${{ secrets.KEY }}", TOKEN: "\${{ github.token }}" }
        run: |
          echo "::add-mask::derived"
          echo "$KEY $TOKEN derived"
      - uses: somebody/else@v1`,
    )
    assert.doesNotMatch(log, /hunter2|token-of-the-job|derived/)
    assert.match(log, /\*\*\* \*\*\* \*\*\*[\s\S]*Unable to resolve action somebody\/else@v1/)
  })

  it('asks for the standing where a condition says nothing of it', () => {
    const contexts = { github: { event: { action: 'closed' } } }
    assert.equal(holds("github.event.action == 'closed'", contexts, 'success'), true)
    assert.equal(holds("github.event.action == 'closed'", contexts, 'failure'), false)
    assert.equal(holds("!cancelled() && github.event.action == 'closed'", contexts, 'failure'), true)
    assert.equal(holds("github.event.missing == 'x'", contexts, 'success'), false)
  })
})
