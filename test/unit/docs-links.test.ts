/** Every relative link of the README and of docs/ leads to a file that is there. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

describe('The documentation', () => {
  it('links to nothing that is not there', () => {
    const pages = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.md'))
      .map((file) => join(ROOT, 'docs', file))
    const dead = [join(ROOT, 'README.md'), ...pages].flatMap((page) =>
      linksOf(readFileSync(page, 'utf8'))
        .filter((link) => !existsSync(join(dirname(page), link)))
        .map((link) => `${relative(ROOT, page)}: ${link}`),
    )
    assert.deepEqual(dead, [])
  })
})

/** Targets of `[text](target)`, without fragments, web addresses and what stands in code. */
function linksOf(markdown: string): string[] {
  const prose = markdown.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`]*`/g, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => (match[1] ?? '').split('#')[0] ?? '')
    .filter((link) => link !== '' && !/^[a-z]+:/.test(link))
}
