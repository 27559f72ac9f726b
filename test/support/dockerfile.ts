/**
 * Reads a Dockerfile as a builder does, as far as ours go: comments, continued lines, stages, exec form, and the words of
 * ARG, ENV and LABEL with their quotes and variables. Throws on anything else, heredocs included. No expectations.
 */
export interface Instruction {
  readonly keyword: string
  /** What follows the keyword, flags left out, continued lines joined. */
  readonly text: string
  /** `--from=packages` -> `from: packages`. */
  readonly flags: Readonly<Record<string, string>>
}

export interface Stage {
  /** As written: `${BASE_IMAGE}`, or the name of a stage. */
  readonly from: string
  readonly name: string
  readonly instructions: readonly Instruction[]
}

export interface Dockerfile {
  /** ARG before the first FROM. */
  readonly args: Readonly<Record<string, string>>
  readonly stages: readonly Stage[]
}

const KNOWN = /^(?:FROM|ARG|ENV|RUN|COPY|WORKDIR|USER|EXPOSE|HEALTHCHECK|CMD|LABEL)$/

export function parseDockerfile(text: string): Dockerfile {
  if (/^#\s*(?:escape|syntax|check)\s*=/i.test(text)) throw new Error('a parser directive')
  const args: Record<string, string> = {}
  const stages: { from: string; name: string; instructions: Instruction[] }[] = []
  for (const line of logicalLines(text)) {
    const instruction = instructionOf(line)
    const stage = stages.at(-1)
    if (instruction.keyword === 'FROM') {
      const [from = '', as, name = '', ...rest] = instruction.text.split(/\s+/)
      if (as?.toUpperCase() !== 'AS' || name === '' || rest.length > 0) throw new Error(`FROM ${instruction.text}`)
      stages.push({ from, name, instructions: [] })
    } else if (stage !== undefined) {
      stage.instructions.push(instruction)
    } else if (instruction.keyword === 'ARG') {
      Object.assign(args, pairsOf(instruction.text, {}))
    } else throw new Error(`${instruction.keyword} before FROM`)
  }
  return { args, stages }
}

/** A line that ends with a backslash goes on; comments and blank lines are dropped, also in between. */
function logicalLines(text: string): string[] {
  const lines: string[] = []
  let open: string | undefined
  for (const line of text.split('\n')) {
    if (/^\s*(?:#|$)/.test(line)) continue
    const isContinued = /\\[ \t]*$/.test(line)
    const whole = (open ?? '') + (isContinued ? line.replace(/\\[ \t]*$/, '') : line)
    if (isContinued) open = whole
    else {
      lines.push(whole)
      open = undefined
    }
  }
  if (open !== undefined) lines.push(open)
  return lines
}

function instructionOf(line: string): Instruction {
  const [, keyword = '', rest = ''] = /^\s*(\w+)\s+(.*)$/s.exec(line) ?? []
  if (!KNOWN.test(keyword)) throw new Error(`no instruction: ${line}`)
  if (/<<-?["']?\w/.test(rest)) throw new Error('a heredoc')
  const flags: Record<string, string> = {}
  let text = rest.trim()
  for (let found = FLAG.exec(text); found !== null; found = FLAG.exec(text)) {
    flags[found[1] ?? ''] = found[2] ?? ''
    text = text.slice(found[0].length)
  }
  return { keyword, text, flags }
}
const FLAG = /^--([a-z-]+)(?:=(\S+))?\s+/

/** `a="b c" d=$E` -> `{a: 'b c', d: …}`, as ARG, ENV and LABEL read it. A bare `NAME` is the empty text. */
export function pairsOf(text: string, variables: Readonly<Record<string, string>>): Record<string, string> {
  const pairs: Record<string, string> = {}
  for (const word of wordsOf(text)) {
    const at = word.indexOf('=')
    const key = at < 0 ? word : word.slice(0, at)
    if (!/^[\w.-]+$/.test(key)) throw new Error(`no name: ${key}`)
    pairs[key] = at < 0 ? '' : unquoted(word.slice(at + 1), variables)
  }
  return pairs
}

function wordsOf(text: string): string[] {
  const words: string[] = []
  let word = ''
  let quote = ''
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? ''
    if (quote === '' && /\s/.test(char)) {
      if (word !== '') words.push(word)
      word = ''
      continue
    }
    if (char === '\\' && quote !== "'") {
      word += char + (text[at + 1] ?? '')
      at += 1
      continue
    }
    if (quote === '' ? char === '"' || char === "'" : char === quote) quote = quote === '' ? char : ''
    word += char
  }
  if (quote !== '') throw new Error(`a quote that is not closed: ${text}`)
  return word === '' ? words : [...words, word]
}

function unquoted(word: string, variables: Readonly<Record<string, string>>): string {
  let value = ''
  let quote = ''
  for (let at = 0; at < word.length; at += 1) {
    const char = word[at] ?? ''
    const rest = word.slice(at)
    const variable = quote === "'" ? null : /^\$(?:(\w+)|\{(\w+)\})/.exec(rest)
    if (variable !== null) {
      value += variables[variable[1] ?? variable[2] ?? ''] ?? ''
      at += variable[0].length - 1
    } else if (char === '\\' && quote === '"' && /["\\$]/.test(word[at + 1] ?? '')) {
      value += word[at + 1]
      at += 1
    } else if (quote === '' ? char === '"' || char === "'" : char === quote) quote = quote === '' ? char : ''
    else value += char
  }
  return value
}
