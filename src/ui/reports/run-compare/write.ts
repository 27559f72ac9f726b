/** `--report FILE` of a comparison: which form an ending asks for. Writing the file is `../write.ts`. */
import type { Context } from '../../../core/context.ts'
import { writeForms } from '../write.ts'
import { renderHtmlComparison } from './html.ts'
import { renderMarkdownComparison } from './markdown.ts'
import type { ComparisonShown } from './types.ts'

export const COMPARISON_FORMS = ['.html', '.json', '.md'] as const

/** @returns the absolute paths. Throws as `writeReports` does. */
export const writeComparisons = (
  place: Pick<Context, 'cwd' | 'env'>,
  paths: readonly string[],
  shown: ComparisonShown,
  all: boolean,
): Promise<string[]> =>
  writeForms(place, paths, {
    '.html': () => renderHtmlComparison(shown, all),
    '.json': () => `${JSON.stringify({ ...shown.comparison, diffs: shown.diffs }, null, 2)}\n`,
    '.md': (limit) => renderMarkdownComparison(shown, all, limit),
  })
