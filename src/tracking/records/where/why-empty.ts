/** What a filter may have been meant to say, where no run matches it: what `docs/runs.md` explains. Pure. */
import { type Field, fixedField } from './fields.ts'
import { type Comparison, parseFilter, type Tree } from './parse.ts'

/**
 * @param isMissing has some run nothing of this name?
 * @returns sentences, none for a filter that says nothing surprising
 */
export function whyEmpty(text: string, isMissing: (name: string) => boolean): string[] {
  const hints = comparisonsOf(parseFilter(text)).flatMap((each) => missing(each, isMissing) ?? wholeDay(each) ?? [])
  return [...new Set(hints)]
}

function comparisonsOf(tree: Tree): Comparison[] {
  if (tree.kind === 'compare') return [tree]
  if (tree.kind === 'alone') return []
  // Within not, what is missing matches.
  return tree.kind === 'not' ? [] : tree.parts.flatMap(comparisonsOf)
}

const UNLIKE: Partial<Record<Comparison['operator'], string>> = {
  '!=': '=',
  '!~': '~',
  'not in': 'in',
  'not has': 'has',
}

function missing({ name, operator, values }: Comparison, isMissing: (name: string) => boolean): string | undefined {
  const like = UNLIKE[operator]
  if (like === undefined || values.some(isNone) || !isMissing(name.text)) return undefined
  const right = operator === 'not in' ? `(${values.map(typed).join(', ')})` : values.map(typed).join(' ')
  return `A run without ${name.text} does not match ${operator} either: write not ${typed(name)} ${like} ${right}`
}

const isNone = ({ text, quoted }: Comparison['values'][number]): boolean =>
  !quoted && /^(?:none|null|missing)$/i.test(text)

const typed = ({ text, quoted }: Comparison['name']): string => (quoted ? JSON.stringify(text) : text)

/** `> today` is after today, `> 2026-11-20` after the whole day. */
function wholeDay({ name, operator, values }: Comparison): string | undefined {
  const field: Field | undefined = fixedField(name.text)
  const [day] = values
  if (operator !== '>' || field?.kind !== 'time' || day === undefined) return undefined
  if (!/^(?:today|yesterday|\d{4}-\d{2}(?:-\d{2})?)$/i.test(day.text)) return undefined
  return `${name.text} > ${day.text} begins when ${day.text} is over: write ${name.text} >= ${day.text}`
}
