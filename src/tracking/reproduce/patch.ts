/** A recorded patch: what it says of its files, and whether a checkout is what it made of them. Pure but for no I/O. */

export interface PatchedFile {
  readonly path: string
  /** The beginning of the blob's id after the patch, where the patch says it; `0000…` means deleted. */
  readonly blob: string | null
}

/** @param bytes of a patch as `project/git-patch.ts` makes them */
export function patchedFiles(bytes: Buffer): PatchedFile[] {
  const sections = bytes.toString('latin1').split(/^(?=diff --git )/m)
  return sections.flatMap((section) => {
    const head = section.split(/^@@ /m)[0] ?? ''
    const name = /^\+\+\+ ("?)b\/(.*)$/m.exec(head) ?? /^diff --git ("?)a\/.* "?b\/(.*)$/m.exec(head)
    const gone = /^\+\+\+ \/dev\/null$/m.test(head) ? /^--- ("?)a\/(.*)$/m.exec(head) : null
    const [, quote = '', rest] = gone ?? name ?? []
    if (rest === undefined) return []
    const path = unquoted(quote === '' ? rest.replace(/\t$/, '') : rest.replace(/"\t?$/, ''), quote !== '')
    return [{ path, blob: /^index [0-9a-f]+\.\.([0-9a-f]+)/m.exec(head)?.[1] ?? null }]
  })
}

function unquoted(text: string, isQuoted: boolean): string {
  const plain = isQuoted
    ? text.replace(/\\([0-7]{3}|.)/g, (_, escaped: string) =>
        /^[0-7]{3}$/.test(escaped)
          ? String.fromCharCode(Number.parseInt(escaped, 8))
          : ({ n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' }[escaped] ?? escaped),
      )
    : text
  return Buffer.from(plain, 'latin1').toString('utf8')
}

/**
 * @param staged what `git ls-files --stage` says, by path
 * @returns the files that are not what the patch says, in words; a file whose blob the patch does not name must be there
 */
export function patchProblems(files: readonly PatchedFile[], staged: ReadonlyMap<string, string>): string[] {
  return files.flatMap(({ path, blob }) => {
    const found = staged.get(path)
    if (blob !== null && /^0+$/.test(blob)) return found === undefined ? [] : [`${path} should be deleted`]
    if (found === undefined) return [`${path} is not there`]
    return blob === null || found.startsWith(blob) ? [] : [`${path} has other content`]
  })
}

/** `git ls-files --stage -z` */
export function stagedBlobs(text: string): Map<string, string> {
  return new Map(
    text.split('\0').flatMap((record) => {
      const [, blob, path] = /^\d+ ([0-9a-f]+) \d\t([\s\S]*)$/.exec(record) ?? []
      return blob === undefined || path === undefined ? [] : [[path, blob] as const]
    }),
  )
}
