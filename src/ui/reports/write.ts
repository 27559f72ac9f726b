/**
 * `--report FILE`: which form a path asks for, and putting the file there whole or not at all. The forms themselves are
 * pure functions in the files beside this one.
 */
import { randomBytes } from 'node:crypto'
import { appendFile, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, extname, resolve } from 'node:path'
import type { Context } from '../../core/context.ts'
import { failed, systemCode, usage } from '../../core/errors.ts'
import type { Trend } from '../../drift/trend.ts'
import { renderHtmlReport } from './html.ts'
import { renderJunitReport } from './junit.ts'
import { renderMarkdownReport } from './markdown.ts'
import { renderPrometheusReport } from './prometheus.ts'
import { renderHtmlTrend } from './trend/html.ts'
import { renderMarkdownTrend } from './trend/markdown.ts'
import type { Reported } from './types.ts'

type Place = Pick<Context, 'cwd' | 'env'>

/** By ending. Markdown is told how many bytes it may take. */
export type Forms = Readonly<Record<string, (limit?: number) => string>>

const formsOf = (reported: Reported) =>
  ({
    '.html': () => renderHtmlReport(reported),
    '.json': () => `${JSON.stringify(reported, null, 2)}\n`,
    '.md': (limit) => renderMarkdownReport(reported, limit),
    '.prom': () => renderPrometheusReport(reported),
    '.xml': () => renderJunitReport(reported),
  }) as const satisfies Forms

const ENDINGS: readonly string[] = ['.html', '.json', '.md', '.prom', '.xml']

/** GitHub drops a step summary that is larger. */
const STEP_SUMMARY_LIMIT = 1024 * 1024

/** The report in the form that the ending of `path` asks for. @throws usage `REPORT_FORM_UNKNOWN` */
export const reportFor = (path: string, reported: Reported): string => formOf(path, formsOf(reported))()

/**
 * Says before the work begins what could not be written after it: an unknown ending, a folder that is not there.
 * @throws usage `REPORT_FORM_UNKNOWN`, `REPORT_FOLDER_MISSING`
 */
export async function assertReportPaths(
  place: Place,
  paths: readonly string[],
  endings: readonly string[] = ENDINGS,
): Promise<void> {
  for (const path of paths) {
    if (isStepSummary(place, path)) continue
    endingOf(path, endings)
    await assertFolder(place, path)
  }
}

/**
 * Writes a report to each path, in the form of its ending; an existing file is replaced at once and whole. The file
 * named by GITHUB_STEP_SUMMARY has no ending: it is Markdown and is appended to, as GitHub asks.
 * @returns the absolute paths
 * @throws usage `REPORT_FORM_UNKNOWN`, `REPORT_FOLDER_MISSING`; failed `REPORT_NOT_WRITTEN`
 */
export const writeReports = (place: Place, paths: readonly string[], reported: Reported): Promise<string[]> =>
  writeForms(place, paths, formsOf(reported))

/** As `writeReports`, for the history of checks: .html, .md or .json. */
export const writeTrends = (place: Place, paths: readonly string[], trend: Trend): Promise<string[]> =>
  writeForms(place, paths, {
    '.html': () => renderHtmlTrend(trend),
    '.json': () => `${JSON.stringify(trend, null, 2)}\n`,
    '.md': (limit) => renderMarkdownTrend(trend, limit),
  })

/** As `writeReports`, in the forms of another result. */
export async function writeForms(place: Place, paths: readonly string[], forms: Forms): Promise<string[]> {
  await assertReportPaths(place, paths, Object.keys(forms))
  const written: string[] = []
  for (const path of paths) {
    const target = resolve(place.cwd, path)
    if (isStepSummary(place, path)) await appendStepSummary(target, (limit) => formOf('.md', forms)(limit))
    else await replaceFile(target, formOf(path, forms)())
    written.push(target)
  }
  return written
}

/** Whether the path is the file that GitHub Actions shows on the page of the job. */
function isStepSummary({ cwd, env }: Place, path: string): boolean {
  const summary = env.GITHUB_STEP_SUMMARY
  return summary !== undefined && summary !== '' && resolve(cwd, path) === resolve(cwd, summary)
}

/** @param render gets the bytes that are left of GitHub's limit */
async function appendStepSummary(target: string, render: (limit: number) => string): Promise<void> {
  const before = await stat(target).then(
    ({ size }) => size,
    () => 0,
  )
  const text = render(Math.max(0, STEP_SUMMARY_LIMIT - before - 2))
  await appendFile(target, before === 0 ? text : `\n${text}`).catch((error) =>
    Promise.reject(notWritten(target, error)),
  )
}

/** A collector or a browser that reads meanwhile sees the old file or the new one, never a part. */
async function replaceFile(target: string, text: string): Promise<void> {
  // A name that no collector takes for a report: node_exporter reads every *.prom in its folder.
  const temporary = `${target}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const file = await open(temporary, 'wx')
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { force: true })
    throw notWritten(target, error)
  }
}

function formOf(path: string, forms: Forms): (limit?: number) => string {
  const form = forms[endingOf(path, Object.keys(forms))]
  if (form === undefined) throw new RangeError(`no form for ${path}`)
  return form
}

function endingOf(path: string, endings: readonly string[]): string {
  // Node takes a name that begins with a dot and has no other for a name without an ending.
  const ending = endings.includes(path) ? path : extname(path).toLowerCase()
  if (endings.includes(ending)) return ending
  const known = `${endings.slice(0, -1).join(', ')} or ${endings.at(-1)}`
  throw usage({
    code: 'REPORT_FORM_UNKNOWN',
    message:
      path === '-'
        ? 'A report is written to a file, not to standard output.'
        : `The ending of ${JSON.stringify(path)} names no form of a report: it must be ${known}.`,
    hint:
      path === '-' ? 'For the result on standard output: --json' : `Write for example --report ${plainName(path)}.html`,
    details: { path, endings },
  })
}

/** The name that was typed without its ending, where the line can be pasted with it. */
function plainName(path: string): string {
  const name = path.slice(0, path.length - extname(path).length)
  return /^[\w./-]*\w$/.test(name) ? name : 'report'
}

async function assertFolder({ cwd }: Place, path: string): Promise<void> {
  const folder = dirname(resolve(cwd, path))
  const found = await stat(folder).catch(() => undefined)
  if (found?.isDirectory() === true) return
  throw usage({
    code: 'REPORT_FOLDER_MISSING',
    message: `The report ${JSON.stringify(path)} cannot be written: ${found === undefined ? 'there is no folder' : 'this is no folder:'} ${folder}.`,
    hint: `Make it first: mkdir -p ${JSON.stringify(dirname(path))}`,
    details: { path, folder },
  })
}

const notWritten = (target: string, error: unknown): Error =>
  failed({
    code: 'REPORT_NOT_WRITTEN',
    message: `The report ${target} could not be written: ${reasonOf(error)}. Only the file is missing.`,
    hint: 'Name another file: --report FILE',
    cause: error,
    details: { path: target },
  })

function reasonOf(error: unknown): string {
  const code = systemCode(error)
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return 'writing is not allowed there'
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'the disk is full'
  if (code === 'EISDIR') return 'it is a folder'
  return error instanceof Error ? error.message : String(error)
}
