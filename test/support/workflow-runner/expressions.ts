/** `${{ }}` and `if:` by GitHub's own expression library. Which contexts there are is the runner's business. */
import { data, Evaluator, Lexer, Parser } from '@actions/expressions'

export type Contexts = Readonly<Record<string, unknown>>

/** How the work stands, for `success()`, `failure()`, `cancelled()`, `always()`. */
export type Standing = 'success' | 'failure'

const STATUS = ['success', 'failure', 'cancelled', 'always']

/** One expression without its braces. @throws what GitHub's library throws for one it does not take */
export function evaluate(text: string, contexts: Contexts, standing: Standing = 'success'): data.ExpressionData {
  const functions = STATUS.map((name) => ({
    name,
    minArgs: 0,
    maxArgs: 0,
    call: () => new data.BooleanData(name === 'always' || name === standing),
  }))
  const parser = new Parser(new Lexer(text).lex().tokens, Object.keys(contexts), functions)
  const tree = parser.parse()
  const context: data.Dictionary = JSON.parse(JSON.stringify(contexts), data.reviver)
  return new Evaluator(tree, context, new Map(functions.map((each) => [each.name, each]))).evaluate()
}

/** A text with expressions in it. */
export const filled = (text: string, contexts: Contexts, standing?: Standing): string =>
  text.replace(/\$\{\{(.*?)\}\}/gs, (_, inside: string) => evaluate(inside, contexts, standing).coerceString())

/** `if:`, with or without braces; without a word about the standing it means `success() && …`. */
export function holds(condition: string | undefined, contexts: Contexts, standing: Standing): boolean {
  if (condition === undefined) return standing === 'success'
  const inside = /^\s*\$\{\{(.*)\}\}\s*$/s.exec(condition)?.[1] ?? condition
  if (standing !== 'success' && !new RegExp(`\\b(?:${STATUS.join('|')})\\(`).test(inside)) return false
  const value = evaluate(inside, contexts, standing).coerceString()
  return value !== 'false' && value !== '' && value !== '0'
}
