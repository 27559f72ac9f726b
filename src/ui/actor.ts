/**
 * Who runs this process: the local user, or the user a CI system names, with the page of its run.
 * Also the CI job's identity, from which commands that must be re-runnable derive an idempotency key.
 */
import { hostname, userInfo } from 'node:os'
import type { Actor } from '../core/context.ts'

type Env = Readonly<Record<string, string | undefined>>

interface CiSystem {
  readonly name: string
  readonly present: (env: Env) => boolean
  readonly user: (env: Env) => string | undefined
  readonly url: (env: Env) => string | undefined
  /** Stable over re-runs of the same job, different between jobs. */
  readonly job: (env: Env) => string | undefined
}

const joined = (...parts: readonly (string | undefined)[]): string | undefined =>
  parts.every((part) => part !== undefined && part !== '') ? parts.join('/') : undefined

const SYSTEMS: readonly CiSystem[] = [
  {
    name: 'github-actions',
    present: (env) => env.GITHUB_ACTIONS === 'true',
    user: (env) => env.GITHUB_ACTOR,
    url: (env) => joined(env.GITHUB_SERVER_URL, env.GITHUB_REPOSITORY, 'actions/runs', env.GITHUB_RUN_ID),
    job: (env) => joined(env.GITHUB_REPOSITORY, env.GITHUB_RUN_ID, env.GITHUB_JOB),
  },
  {
    name: 'gitlab-ci',
    present: (env) => env.GITLAB_CI === 'true',
    user: (env) => env.GITLAB_USER_LOGIN,
    url: (env) => env.CI_JOB_URL,
    job: (env) => joined(env.CI_PROJECT_PATH, env.CI_PIPELINE_ID, env.CI_JOB_NAME),
  },
  {
    name: 'buildkite',
    present: (env) => env.BUILDKITE === 'true',
    user: (env) => env.BUILDKITE_BUILD_CREATOR_EMAIL ?? env.BUILDKITE_BUILD_CREATOR,
    url: (env) => env.BUILDKITE_BUILD_URL,
    job: (env) => joined(env.BUILDKITE_BUILD_ID, env.BUILDKITE_STEP_ID),
  },
  {
    name: 'circleci',
    present: (env) => env.CIRCLECI === 'true',
    user: (env) => env.CIRCLE_USERNAME,
    url: (env) => env.CIRCLE_BUILD_URL,
    job: (env) => joined(env.CIRCLE_WORKFLOW_ID, env.CIRCLE_JOB),
  },
  {
    name: 'azure-pipelines',
    present: (env) => env.TF_BUILD === 'True',
    user: (env) => env.BUILD_REQUESTEDFOR,
    url: (env) =>
      env.SYSTEM_COLLECTIONURI && env.SYSTEM_TEAMPROJECT && env.BUILD_BUILDID
        ? `${env.SYSTEM_COLLECTIONURI}${encodeURIComponent(env.SYSTEM_TEAMPROJECT)}/_build/results?buildId=${env.BUILD_BUILDID}`
        : undefined,
    job: (env) => joined(env.SYSTEM_TEAMPROJECT, env.BUILD_BUILDID, env.SYSTEM_JOBNAME),
  },
  {
    name: 'jenkins',
    present: (env) => (env.JENKINS_URL ?? '') !== '',
    user: (env) => env.BUILD_USER_ID ?? env.CHANGE_AUTHOR,
    url: (env) => env.BUILD_URL,
    job: (env) => joined(env.JOB_NAME, env.BUILD_NUMBER),
  },
]

/** `CI` is set by every CI system and by people who want to be treated like one; `CI=false` and `CI=0` mean no. */
export const inCi = (env: Env): boolean => !['', '0', 'false'].includes((env.CI ?? '').toLowerCase())

export function currentActor(env: Env): Actor {
  const system = SYSTEMS.find((each) => each.present(env))
  if (system === undefined) return { name: `${localUser(env)}@${hostname()}`, origin: 'local' }
  const url = system.url(env)
  return { name: system.user(env) || system.name, origin: 'ci', ...(url ? { url } : {}) }
}

/** Identity of the CI job, the same when it is re-run; undefined outside of a known CI system. */
export function ciJob(env: Env): string | undefined {
  const system = SYSTEMS.find((each) => each.present(env))
  const job = system?.job(env)
  return system === undefined || job === undefined ? undefined : `${system.name}:${job}`
}

function localUser(env: Env): string {
  try {
    return userInfo().username
  } catch {
    // A container may run under a user id that has no entry in its user database.
    return env.USER ?? env.LOGNAME ?? 'unknown'
  }
}
