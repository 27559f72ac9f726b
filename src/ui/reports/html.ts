/** A check as one self-contained page. */
import { asList, type Reported } from './types.ts'

export function renderHtmlReport(reported: Reported): string {
  return `<!doctype html><title>mlops</title><pre>${asList(reported).length}</pre>`
}
