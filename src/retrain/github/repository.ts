/**
 * Which repository at which GitHub, and the token for it: from the policy, the environment and the git remote. Nothing
 * is asked of GitHub here.
 */
import type { Context } from '../../core/context.ts'
import { usage } from '../../core/errors.ts'
import { redactText } from '../../core/redact.ts'
import { isLoopback } from '../../net/proxy.ts'
import type { Project } from '../../project/config.ts'
import { parseRemote, type RemoteAddress, remoteAddress } from '../../project/git-remote.ts'

export interface Repository {
  /** Without a slash at the end: `https://api.github.com`, `https://HOST/api/v3`. */
  readonly api: string
  readonly owner: string
  readonly name: string
  readonly token: string
  /** The variable the token came from. */
  readonly tokenVariable: string
  /** The checkout is one of it, as far as can be told: its workflow files are. */
  readonly isHere: boolean
}

const PUBLIC_API = 'https://api.github.com'
const API_VARIABLES = ['MLOPS_GITHUB_API_URL', 'GITHUB_API_URL'] as const
/** Given for this program; whoever set it knows where it goes. */
const OWN_TOKEN = 'MLOPS_GITHUB_TOKEN'
/** Lying around in many environments, for GitHub itself. */
const COMMON_TOKENS = ['GITHUB_TOKEN', 'GH_TOKEN'] as const
const PERMISSION = 'a token with the permission "Actions: read and write" of the repository (classic: scope repo)'
const NOT_GITHUB = /(?:^|\.)(?:gitlab\.com|bitbucket\.org|dev\.azure\.com|visualstudio\.com|codeberg\.org|sr\.ht)$/

/**
 * @param named `repository` of the policy's job
 * @throws usage `GITHUB_REPOSITORY_UNKNOWN`, `GITHUB_REPOSITORY_INVALID`, `GITHUB_API_INVALID`, `GITHUB_TOKEN_MISSING`
 */
export async function findRepository(ctx: Context, project: Project, named: string | undefined): Promise<Repository> {
  const set = (name: string): string | undefined => ctx.env[name]?.trim() || undefined
  const given = named ?? set('GITHUB_REPOSITORY')
  const apiVariable = API_VARIABLES.find((name) => set(name) !== undefined)
  const isEnough = named === undefined && given !== undefined && apiVariable !== undefined
  const remote = isEnough ? undefined : await remoteOf(ctx, project)
  const [owner, name] = ownerAndName(given, remote, named === undefined ? 'GITHUB_REPOSITORY' : 'policy.job.repository')
  const derived = remote === undefined ? PUBLIC_API : apiOf(remote)
  const api = apiVariable === undefined ? derived : checkedApi(apiVariable, set(apiVariable) ?? '')
  const isGitHub = apiVariable !== undefined || isGitHubItself(new URL(api).hostname)
  const variables = isGitHub ? [OWN_TOKEN, ...COMMON_TOKENS] : [OWN_TOKEN]
  const tokenVariable = variables.find((each) => set(each) !== undefined)
  const token = tokenVariable === undefined ? undefined : set(tokenVariable)
  if (token === undefined || tokenVariable === undefined) throw tokenMissing(api, isGitHub)
  if (/[^\x21-\x7e]/.test(token)) {
    throw usage({
      code: 'GITHUB_TOKEN_INVALID',
      message: `${tokenVariable} holds spaces or characters that no token has.`,
      hint: `Set it anew, without quotes in the value: ${PERMISSION}`,
    })
  }
  const same = (a: string, b: string | undefined): boolean => a.toLowerCase() === b?.toLowerCase()
  const isHere = named === undefined || (same(owner, remote?.owner) && same(name, remote?.name))
  return { api, owner, name, token, tokenVariable, isHere }
}

async function remoteOf(ctx: Context, project: Project): Promise<RemoteAddress | undefined> {
  const address = await remoteAddress(project.root, ctx.env)
  const remote = address === undefined ? undefined : parseRemote(address)
  if (address === undefined || remote === undefined || NOT_GITHUB.test(remote.host)) return undefined
  // A word without a dot after `git@` is an alias of the user's SSH configuration, for one of several accounts.
  const isAlias = !remote.host.includes('.') && !/^https?:/i.test(address)
  return isAlias ? { ...remote, host: 'github.com' } : remote
}

/** `policy.job.repository`, `GITHUB_REPOSITORY`, the remote: the first that says something. */
function ownerAndName(
  given: string | undefined,
  remote: RemoteAddress | undefined,
  source: string,
): readonly [string, string] {
  if (given === undefined) {
    if (remote !== undefined) return [remote.owner, remote.name]
    throw usage({
      code: 'GITHUB_REPOSITORY_UNKNOWN',
      message:
        'It is not known in which repository the workflow is to run: the policy names none, GITHUB_REPOSITORY is not set, and the project has no git remote on GitHub.',
      hint: 'Write it into the policy, under job:  repository: OWNER/NAME',
    })
  }
  const [, owner, name] = /^([\w.-]+)\/([\w.-]+)$/.exec(given) ?? []
  if (owner !== undefined && name !== undefined && !/^\.{1,2}$/.test(owner) && !/^\.{1,2}$/.test(name)) {
    return [owner, name]
  }
  throw usage({
    code: 'GITHUB_REPOSITORY_INVALID',
    message: `${source} is ${JSON.stringify(redactText(given))}, which is not OWNER/NAME.`,
    hint: 'For example: octo-org/churn',
  })
}

/**
 * Where the REST API of a host is ("Getting started with the REST API", docs.github.com/en/rest/using-the-rest-api):
 * github.com has a host of its own, GHE.com one per subdomain, Enterprise Server a path.
 */
export function apiOf({ host, port }: Pick<RemoteAddress, 'host' | 'port'>): string {
  if (host === 'github.com') return PUBLIC_API
  if (host.endsWith('.ghe.com')) return `https://api.${host}`
  return `https://${host}${port === null ? '' : `:${port}`}/api/v3`
}

const isGitHubItself = (host: string): boolean => host === 'api.github.com' || host.endsWith('.ghe.com')

/** The token travels with every request, so in the clear only to this machine. */
function checkedApi(variable: string, value: string): string {
  const api = value.replace(/\/+$/, '')
  const url = URL.canParse(api) ? new URL(api) : undefined
  const problem =
    url === undefined || !/^https?:$/.test(url.protocol)
      ? 'is not an address'
      : url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== ''
        ? 'holds more than an address: no user, no query'
        : url.protocol === 'http:' && !isLoopback(url)
          ? 'is not https: the token would travel in the clear'
          : undefined
  if (problem === undefined) return api
  throw usage({
    code: 'GITHUB_API_INVALID',
    message: `${variable} ${problem}.`,
    hint: `Set it to ${PUBLIC_API}, or for GitHub Enterprise Server to https://HOST/api/v3`,
  })
}

function tokenMissing(api: string, isGitHub: boolean) {
  const which = isGitHub
    ? `None of ${OWN_TOKEN}, ${COMMON_TOKENS.join(', ')} is set`
    : `${OWN_TOKEN} is not set, and ${COMMON_TOKENS.join(' and ')} go to GitHub itself only, not to ${new URL(api).host}`
  return usage({
    code: 'GITHUB_TOKEN_MISSING',
    message: `A workflow cannot be dispatched without a token. ${which}.`,
    hint: `Set ${OWN_TOKEN} in the environment to ${PERMISSION}. In a workflow: permissions: {actions: write}, and under env: the line  ${OWN_TOKEN}: \${{ github.token }}`,
    details: { variables: [OWN_TOKEN, ...COMMON_TOKENS], api },
  })
}
