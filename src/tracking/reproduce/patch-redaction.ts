/**
 * A patch from which values were taken that look like secrets. In lines that were added they are lost; in lines that the
 * commit holds (context, removed lines) they stand in the commit, and without them the patch would not fit. Pure.
 */
import { REDACTED } from '../../core/redact.ts'

/** @param committed the text of a file in the commit; undefined where it has none */
export async function restored(
  patch: Buffer,
  committed: (path: string) => Promise<string | undefined>,
): Promise<{ readonly bytes: Buffer; readonly guessed: boolean }> {
  const text = patch.toString('latin1')
  if (!text.includes(REDACTED)) return { bytes: patch, guessed: false }
  const sections = text.split(/^(?=diff --git )/m)
  const mended: string[] = []
  for (const section of sections) {
    const path = /^--- a\/(.*?)\t?$/m.exec(section)?.[1]
    const lost = section.split('\n').some((line) => /^[ -]/.test(line) && line.includes(REDACTED))
    const before =
      lost && path !== undefined ? await committed(Buffer.from(path, 'latin1').toString('utf8')) : undefined
    mended.push(before === undefined ? section : withCommittedLines(section, bytewise(before).split('\n')))
  }
  return { bytes: Buffer.from(mended.join(''), 'latin1'), guessed: true }
}

const bytewise = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

function withCommittedLines(section: string, before: readonly string[]): string {
  let at = -1
  const lines = section.split('\n').map((line) => {
    const hunk = /^@@ -(\d+)(?:,\d+)? \+/.exec(line)
    if (hunk !== null) at = Number(hunk[1]) - 1
    else if (at >= 0 && /^[ -]/.test(line)) {
      const original = before[at++]
      if (original !== undefined && line.includes(REDACTED)) return `${line[0]}${original}`
    }
    return line
  })
  return lines.join('\n')
}
