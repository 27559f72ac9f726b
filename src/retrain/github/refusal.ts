/** What a problem with GitHub means to a person: which setting is wrong, and what to do about it. */
import { failed, interrupted, type MlopsError, usage } from '../../core/errors.ts'
import { describeDuration } from '../../project/duration.ts'
import type { GitHubProblem } from './client.ts'
import type { Repository } from './repository.ts'

interface About {
  readonly repository: Repository
  readonly workflow: string
  readonly ref: string | null
  /** What did not work; that nothing was dispatched where nothing is said. */
  readonly lead?: string
}

const NOT_DISPATCHED = 'No workflow was dispatched.'

/**
 * @returns usage `GITHUB_TOKEN_REFUSED`, `WORKFLOW_NOT_FOUND`, `WORKFLOW_REFUSED`; failed `GITHUB_RATE_LIMITED`,
 *   `GITHUB_UNREACHABLE`; interrupted
 */
export function errorOf(problem: GitHubProblem, about: About): MlopsError {
  const { kind, status } = problem.facts
  const { repository, workflow, lead = NOT_DISPATCHED } = about
  const full = `${repository.owner}/${repository.name}`
  const details = { repository: full, workflow, api: repository.api, ...(status === null ? {} : { status }) }
  switch (kind) {
    case 'interrupted':
      return interrupted({ code: 'INTERRUPTED', message: `Interrupted. ${lead}`, details })
    case 'limited':
      return failed({
        code: 'GITHUB_RATE_LIMITED',
        message: `${lead} GitHub limits the rate, and asks to wait ${describeDuration(problem.facts.pause ?? 0)}. ${problem.message}.`,
        hint: `Try again later, or with a token that is used by fewer programs: ${repository.tokenVariable} was used`,
        details,
      })
    case 'refused':
      return refusedBy(problem, about, details)
    default:
      return failed({
        code: 'GITHUB_UNREACHABLE',
        message: `${lead} ${problem.message}.`,
        hint: `Can this machine reach it? curl -sI ${repository.api}  A proxy is taken from HTTPS_PROXY, another address from MLOPS_GITHUB_API_URL`,
        details,
      })
  }
}

function refusedBy(
  problem: GitHubProblem,
  { repository, workflow, ref, lead = NOT_DISPATCHED }: About,
  details: Record<string, unknown>,
) {
  const { status, permissions, singleSignOn } = problem.facts
  const full = `${repository.owner}/${repository.name}`
  const variable = repository.tokenVariable
  const said = `${lead} ${problem.message}.`
  if (status === 200) {
    const hint =
      'Look at MLOPS_GITHUB_API_URL or GITHUB_API_URL, else at the git remote; a proxy may also answer by itself'
    return usage({ code: 'GITHUB_API_INVALID', message: said, hint, details })
  }
  if (status === 401) {
    return usage({
      code: 'GITHUB_TOKEN_REFUSED',
      message: said,
      hint: `The token in ${variable} is wrong, expired or revoked. It needs the permission "Actions: read and write" of ${full}`,
      details,
    })
  }
  if (status === 403) {
    const needed = permissions === undefined ? '"Actions: read and write"' : `"${permissions}"`
    const hint = singleSignOn
      ? `The organisation wants the token in ${variable} to be authorised for its single sign-on: on github.com, Settings, Developer settings, the token, Configure SSO`
      : `Give the token in ${variable} the permission ${needed} of ${full}; in a workflow: permissions: {actions: write}`
    return usage({ code: 'GITHUB_TOKEN_REFUSED', message: said, hint, details })
  }
  if (status === 404) {
    return usage({
      code: 'WORKFLOW_NOT_FOUND',
      message: `${said} There is no ${full} with .github/workflows/${workflow} on its default branch that the token in ${variable} may see.`,
      hint: 'Push the workflow to the default branch, correct workflow: or repository: of the policy, or use a token of that repository',
      details,
    })
  }
  return usage({ code: 'WORKFLOW_REFUSED', message: said, hint: hintOf(problem.message, workflow, ref), details })
}

/** What to do about the words that GitHub refuses a dispatch with (422). */
function hintOf(message: string, workflow: string, ref: string | null): string {
  const file = `.github/workflows/${workflow}`
  if (/no ref found/i.test(message)) return `Push the branch or tag ${ref ?? ''}, or correct ref: of the policy's job`
  if (/does not have 'workflow_dispatch'/i.test(message)) {
    return `Add  on: {workflow_dispatch: {inputs: …}}  to ${file} on the default branch and on ${ref ?? 'the ref'}; GitHub says the same of a file it cannot read`
  }
  if (/disabled workflow/i.test(message)) return `Switch it on again: gh workflow enable ${workflow}`
  if (/inputs?\b/i.test(message))
    return `Compare on.workflow_dispatch.inputs of ${file} at ${ref ?? 'the ref'} with inputs: of the policy's job`
  return `Look at ${file} in the Actions tab of the repository`
}
