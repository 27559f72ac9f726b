/** Words of command lines: of those we print, so that they can be pasted into a shell, and of those we are to fill in. */

/** Quoted for a POSIX shell when it needs to be. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`

const PLACEHOLDER = /^\{(?:model|data|predictions)\}/

/**
 * A path is put in as one quoted word. Inside quotes of the user's own, or in a here-document, those quotes would mean
 * nothing, and a file called `$(…)` would be run.
 * @returns why the command cannot be filled in safely, or undefined when it can
 */
export function placeholderProblem(command: string): string | undefined {
  let quote = ''
  let isHere = false
  for (let at = 0; at < command.length; at++) {
    const char = command.charAt(at)
    const [word] = char === '{' ? (PLACEHOLDER.exec(command.slice(at)) ?? []) : []
    if (word !== undefined) {
      const before = command.charAt(at - 1)
      const where =
        quote !== '' || isHere
          ? `inside ${isHere ? 'a here-document' : 'quotes'}`
          : before === '$' || before === '\\'
            ? `behind a ${before}`
            : undefined
      if (where !== undefined)
        return `${word} stands ${where}, where a path cannot be put in safely; write ${word} alone, without quotes: it becomes one word, whatever the path holds`
    }
    if (quote === "'") quote = char === "'" ? '' : quote
    else if (char === '\\' && !PLACEHOLDER.test(command.slice(at + 1))) at++
    else if (char === quote) quote = ''
    else if (quote === '' && (char === "'" || char === '"')) quote = char
    else if (quote === '' && char === '<' && command.charAt(at + 1) === '<') isHere = true
  }
  return undefined
}
