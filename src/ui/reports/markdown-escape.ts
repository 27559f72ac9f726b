/** Text of users inside GitHub-flavoured Markdown: nothing in it may format, link, mention, or break a table. */

/** Prose: what Markdown or HTML would act on is escaped. One line in, one line out. */
export const prose = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replace(/[\\`*_{}[\]<>|~$]/g, (found) => (found === '<' ? '&lt;' : found === '>' ? '&gt;' : `\\${found}`))
    // A zero-width space keeps names from being told, and numbers from being linked.
    .replace(/(^|[^\w])([@#])(?=\w)/g, '$1$2&#8203;')
    .replace(/\b(https?|ftp|www)(?=:\/\/|\.)/gi, '$1&#8203;')
    // Only at the start of a line, where it would be a list or a heading.
    .replace(/^(\s*)([-+]|\d+[.)]|#+)(?=\s)/, (_found, blanks: string, mark: string) =>
      mark.length > 1 && /\d/.test(mark) ? `${blanks}${mark.slice(0, -1)}\\${mark.slice(-1)}` : `${blanks}\\${mark}`,
    )

/** A code span: fenced by more backticks than are in it; a pipe is escaped because it ends a cell even there. */
export function code(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  const blank = /^[`\s]|[`\s]$/.test(text) || text === '' ? ' ' : ''
  return `${fence}${blank}${text.replaceAll('|', '\\|')}${blank}${fence}`
}

/** A table; a heading that begins with `>` aligns its column to the right. '' for no rows. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [
    line(heads.map((head) => head.replace(/^>/, ''))),
    line(heads.map((head) => (head.startsWith('>') ? '---:' : '---'))),
    ...rows.map(line),
  ].join('\n')
}

/** @param title Markdown is not read inside a summary, so plain words */
export const fold = (title: string, body: string): string =>
  body === '' ? '' : `<details>\n<summary>${title}</summary>\n\n${body}\n\n</details>`
