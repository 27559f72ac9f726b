/**
 * What is wrong with a configuration file, gathered so that a user sees all of it at once, each with file and line.
 * Only the list and its rendering belong here; finding problems is the work of `yaml.ts` and `schema.ts`.
 */
import { type MlopsError, usage } from '../core/errors.ts'

export interface Problem {
  /** As shown to the user: relative to where they stand. */
  readonly file: string
  /** 1-based; 0 when no line can be named. */
  readonly line: number
  /** Dotted: `models.churn-model.drift.threshold`; empty for the file as a whole. */
  readonly path: string
  /** Without a trailing period: it stands at the end of a line. */
  readonly message: string
}

/** More than this would scroll the first, most telling ones away. */
const SHOWN = 20

const renderProblem = ({ file, line, path, message }: Problem): string =>
  `${file}${line > 0 ? `:${line}` : ''}: ${path === '' ? '' : `${path}: `}${message}`

/** The one error for a file with problems: exit 2, every problem in the message and in `details`. */
export function configError(problems: readonly Problem[], hint: string): MlopsError {
  const sorted = [...problems].sort((a, b) => a.line - b.line)
  const shown = sorted.slice(0, SHOWN).map(renderProblem)
  if (sorted.length > SHOWN) shown.push(`… and ${sorted.length - SHOWN} more`)
  return usage({ code: 'CONFIG_INVALID', message: shown.join('\n'), hint, details: { problems: sorted } })
}
