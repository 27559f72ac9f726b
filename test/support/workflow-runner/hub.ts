/**
 * What GitHub's REST API of issues and pull requests answers, beside `test/support/github.ts`: "List repository issues",
 * "Create an issue", "Update an issue", "Create an issue comment", "List pull requests", "Create a pull request",
 * "Update a pull request".
 */
import type { Asked, FakeAnswer } from '../github.ts'

export interface Pull {
  readonly number: number
  readonly html_url: string
  title: string
  body: string
  readonly head: string
  readonly base: string
}
export interface Issue {
  readonly number: number
  title: string
  body: string
  readonly labels: readonly string[]
}

export interface Conversations {
  readonly pulls: Pull[]
  readonly issues: Issue[]
  /** For `fault` of the receiver: undefined for what is not of here. */
  answer(asked: Asked): FakeAnswer | undefined
}

export function conversations(full: string): Conversations {
  const [pulls, issues]: [Pull[], Issue[]] = [[], []]
  const answer = ({ method, path, body }: Asked): FakeAnswer | undefined => {
    const url = new URL(path, 'http://receiver')
    const [, kind, number, comments] =
      new RegExp(`^/repos/${full}/(pulls|issues)(?:/(\\d+)(/comments)?)?$`).exec(url.pathname) ?? []
    if (kind === undefined) return undefined
    const given = body === '' ? {} : JSON.parse(body)
    const list: (Pull | Issue)[] = kind === 'pulls' ? pulls : issues
    if (comments !== undefined) return { status: 201, body: { id: 1 } }
    if (number !== undefined) {
      const found = list.find((each) => each.number === Number(number))
      if (found === undefined) return { status: 404, body: { message: 'Not Found' } }
      Object.assign(found, given)
      return { status: 200, body: found }
    }
    if (method === 'GET') {
      const head = url.searchParams.get('head')?.split(':')[1]
      return { status: 200, body: list.filter((each) => head === undefined || ('head' in each && each.head === head)) }
    }
    const made = {
      ...given,
      number: list.length + 1,
      html_url: `https://github.example/${full}/${kind}/${list.length + 1}`,
    }
    list.push(made)
    return { status: 201, body: made }
  }
  return { pulls, issues, answer }
}
