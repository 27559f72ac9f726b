/** Who did it: the local user, or the one a CI system names. */
import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { ciJob, currentActor, inCi } from '../../../src/ui/actor.ts'

const GITHUB = {
  GITHUB_ACTIONS: 'true',
  GITHUB_ACTOR: 'ada',
  GITHUB_SERVER_URL: 'https://github.example',
  GITHUB_REPOSITORY: 'team/churn',
  GITHUB_RUN_ID: '42',
  GITHUB_JOB: 'retrain',
}

describe('The actor', () => {
  it('is user@host outside of CI', () => {
    const actor = currentActor({})
    assert.equal(actor.origin, 'local')
    assert.ok(actor.name.endsWith(`@${hostname()}`) && actor.name.length > hostname().length + 1)
  })

  it('is who GitHub says, with the page of the run', () => {
    const url = 'https://github.example/team/churn/actions/runs/42'
    assert.deepEqual(currentActor(GITHUB), { name: 'ada', origin: 'ci', url })
  })

  it('is who GitLab says', () => {
    const env = { GITLAB_CI: 'true', GITLAB_USER_LOGIN: 'grace', CI_JOB_URL: 'https://gitlab.example/1' }
    assert.deepEqual(currentActor(env), { name: 'grace', origin: 'ci', url: 'https://gitlab.example/1' })
  })

  it('is the CI system itself when that names nobody', () => {
    assert.deepEqual(currentActor({ JENKINS_URL: 'https://ci.example' }), { name: 'jenkins', origin: 'ci' })
  })

  it('is not taken from GITHUB_ACTOR alone, which anybody may have exported', () => {
    assert.equal(currentActor({ GITHUB_ACTOR: 'mallory' }).origin, 'local')
  })
})

describe('A CI job', () => {
  it('has the same identity when it is run again, another one in another job', () => {
    const again = { ...GITHUB, GITHUB_RUN_ATTEMPT: '2' }
    assert.equal(ciJob(GITHUB), 'github-actions:team/churn/42/retrain')
    assert.equal(ciJob(again), ciJob(GITHUB))
    assert.notEqual(ciJob({ ...GITHUB, GITHUB_JOB: 'other' }), ciJob(GITHUB))
    assert.equal(ciJob({}), undefined)
  })

  it('is recognised by CI, which false and 0 switch off', () => {
    assert.deepEqual([{ CI: 'true' }, { CI: '1' }, { CI: 'false' }, { CI: '0' }, {}].map(inCi), [
      true,
      true,
      false,
      false,
      false,
    ])
  })
})
