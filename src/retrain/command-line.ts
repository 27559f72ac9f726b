/**
 * A command line from a configuration file as the words to run. Plain words are split here, so that the program itself
 * (and not a shell) is what a run records and what signals reach; anything that only a shell understands goes to one.
 */

/** Characters outside of quotes that mean something to a shell. */
const FOR_A_SHELL = /[|&;<>()$`*?[\]#~{}!\n]/

/**
 * @returns the words, or the shell with the line as its script
 * @param platform as in `process.platform`
 */
export function commandWords(line: string, platform: string): readonly string[] {
  const words = splitWords(line.trim())
  if (words !== undefined) return words
  return platform === 'win32' ? ['cmd', '/d', '/s', '/c', line] : ['sh', '-c', line]
}

/** Words by POSIX quoting; undefined where a shell is needed: an operator, an expansion, `NAME=value` in front. */
function splitWords(line: string): string[] | undefined {
  const words: string[] = []
  let word: string | undefined
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at)
    if (char === "'") {
      const end = line.indexOf("'", at + 1)
      if (end < 0) return undefined
      word = (word ?? '') + line.slice(at + 1, end)
      at = end
    } else if (char === '"') {
      const end = line.indexOf('"', at + 1)
      const inside = line.slice(at + 1, end)
      if (end < 0 || /[\\$`]/.test(inside)) return undefined
      word = (word ?? '') + inside
      at = end
    } else if (char === '\\' || FOR_A_SHELL.test(char)) {
      return undefined
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else {
      word = (word ?? '') + char
    }
  }
  if (word !== undefined) words.push(word)
  const assigns = /^[A-Za-z_]\w*=/.test(words[0] ?? '')
  return words.length === 0 || assigns ? undefined : words
}
