// Opens the pull request of a branch, or brings its text up to date.
//   node pull-request.mjs BRANCH BASE TITLE BODY-FILE
// REST API of GitHub: "List pull requests", "Create a pull request", "Update a pull request".
import { readFileSync } from 'node:fs'

const [head, base, title, bodyFile] = process.argv.slice(2)
const { GITHUB_API_URL = 'https://api.github.com', GITHUB_REPOSITORY = '' } = process.env
const token = process.env.MLOPS_GITHUB_TOKEN || process.env.GITHUB_TOKEN
if (!token || !/^[\w.-]+\/[\w.-]+$/.test(GITHUB_REPOSITORY)) {
  console.error(`Open the pull request of ${head} into ${base} yourself; its text is in ${bodyFile}`)
  process.exit(0)
}
// GitHub takes 65,536 characters.
const body = readFileSync(bodyFile, 'utf8').slice(0, 65_000)

const pulls = `${GITHUB_API_URL.replace(/\/+$/, '')}/repos/${GITHUB_REPOSITORY}/pulls`
const query = new URLSearchParams({ state: 'open', base, head: `${GITHUB_REPOSITORY.split('/')[0]}:${head}` })
const [open] = await ask('GET', `${pulls}?${query}`)
const pull = open
  ? await ask('PATCH', `${pulls}/${open.number}`, { title, body })
  : await ask('POST', pulls, { title, body, head, base })
console.error(pull.html_url)

async function ask(method, url, content) {
  const headers = {
    accept: 'application/vnd.github+json',
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'user-agent': 'mlops',
    'x-github-api-version': '2022-11-28',
  }
  const request = { method, headers, redirect: 'error', signal: AbortSignal.timeout(30_000) }
  const answer = await fetch(url, content ? { ...request, body: JSON.stringify(content) } : request)
  if (answer.ok) return await answer.json()
  const { message = '' } = await answer.json().catch(() => ({}))
  console.error(`GitHub answered ${answer.status} ${message} to ${method} ${new URL(url).pathname}.`)
  if (answer.status === 403)
    console.error('May workflows open pull requests? Settings, Actions, General, "Allow GitHub Actions to create and approve pull requests".')
  process.exit(1)
}
