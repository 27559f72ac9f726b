/**
 * Colour and symbols: the only user of chalk, and the only place that decides whether there is colour at all.
 * Chalk 5 ignores NO_COLOR by itself, so its level is set here explicitly.
 */
import { Chalk, type ChalkInstance } from 'chalk'

export interface Symbols {
  readonly ok: string
  readonly bad: string
  readonly warn: string
  readonly unknown: string
  readonly bullet: string
  readonly arrow: string
  readonly ellipsis: string
  readonly dash: string
}

/** Every function takes text that is already clean (see `clean.ts`) and returns text for one stream. */
export interface Style {
  readonly color: boolean
  readonly unicode: boolean
  readonly symbols: Symbols
  bold(text: string): string
  dim(text: string): string
  /** Fine: stable, passed. */
  good(text: string): string
  /** Needs action: drift, refused, failed. */
  bad(text: string): string
  /** Look at it: inconclusive, a warning. */
  warn(text: string): string
  /** Names of models, versions, stages, runs. */
  name(text: string): string
  /** Something to type. */
  command(text: string): string
  heading(text: string): string
}

const UNICODE: Symbols = {
  ok: '✔',
  bad: '✖',
  warn: '▲',
  unknown: '?',
  bullet: '•',
  arrow: '→',
  ellipsis: '…',
  dash: '–',
}
const ASCII: Symbols = {
  ok: '+',
  bad: 'x',
  warn: '!',
  unknown: '?',
  bullet: '*',
  arrow: '->',
  ellipsis: '...',
  dash: '-',
}

export function createStyle(options: { readonly color: boolean; readonly unicode: boolean }): Style {
  const chalk: ChalkInstance = new Chalk({ level: options.color ? 1 : 0 })
  return {
    ...options,
    symbols: options.unicode ? UNICODE : ASCII,
    bold: (text) => chalk.bold(text),
    dim: (text) => chalk.dim(text),
    good: (text) => chalk.green(text),
    bad: (text) => chalk.red(text),
    warn: (text) => chalk.yellow(text),
    name: (text) => chalk.cyan(text),
    command: (text) => chalk.bold(text),
    heading: (text) => chalk.bold.underline(text),
  }
}

type Env = Readonly<Record<string, string | undefined>>

/**
 * No colour for anything but a terminal, nor with `--no-color`, a non-empty NO_COLOR (no-color.org) or TERM=dumb.
 * FORCE_COLOR (0 or not) overrides the terminal test alone, for CI systems that show colours.
 */
export function wantsColor(isTTY: boolean, env: Env, noColorFlag: boolean): boolean {
  if (noColorFlag || (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb') return false
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '') return env.FORCE_COLOR !== '0'
  return isTTY
}

/** UTF-8 by the first of LC_ALL, LC_CTYPE, LANG that is set; ASCII in the C locale. */
export function wantsUnicode(env: Env, platform: NodeJS.Platform): boolean {
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((value) => value !== undefined && value !== '')
  if (locale === undefined) return platform !== 'linux'
  return /utf-?8/i.test(locale)
}
