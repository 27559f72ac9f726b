/**
 * What a channel is to the rest of this folder. Each has a file of its own that turns an alert into its message by the
 * published contract; retries are `deliver.ts`, HTTP is `http.ts`.
 */
import type { Context } from '../core/context.ts'
import type { Alert } from './types.ts'

/** What a test puts in the place of the world. */
export interface Wire {
  /** Waits; ends early, by throwing, when the work is aborted. */
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>
  /** 0 to 1. */
  readonly random: () => number
  /** Of one request, in milliseconds. */
  readonly timeout: number
}

export interface SendKit {
  readonly ctx: Context
  readonly wire: Wire
  /** Folder that relative paths are relative to: that of mlops.yaml. */
  readonly root: string
}

/** Where a message goes: what can be tried without sending one. */
export type Destination =
  /** `web`: http(s), which goes through a proxy where one is set. */
  | {
      readonly kind: 'host'
      readonly host: string
      readonly port: number
      readonly tls: boolean
      readonly web: boolean
    }
  /** Relative to the folder of mlops.yaml, or absolute. */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'terminal' }

export interface Channel {
  /** What must never be printed or recorded. */
  readonly secrets: readonly string[]
  /** @throws SendProblem for everything that is known to be wrong before a message is sent */
  destination(): Destination
  /** One try. @returns what is to be printed. @throws SendProblem */
  send(alert: Alert, kit: SendKit): Promise<string | undefined>
}

/** `soon`: after a pause. A number: not before that many milliseconds have passed. `never`: it would fail again. */
export type Retry = 'soon' | 'never' | number

/** Why one try failed. May hold a secret: `deliver` takes it out. */
export class SendProblem extends Error {
  readonly retry: Retry
  /** The environment variable to set. */
  readonly missing: string | undefined

  constructor(message: string, retry: Retry, missing?: string) {
    super(message)
    this.name = 'SendProblem'
    this.retry = retry
    this.missing = missing
  }
}

/** Nothing was tried: the variable is not set. */
export const missingVariable = (name: string, what: string): SendProblem =>
  new SendProblem(`${name} is not set: ${what}`, 'never', name)

/** `ml-alerts` in the name of an environment variable: `ML_ALERTS`. */
export const variablePart = (name: string): string =>
  name
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')

/** The first of the variables that is set and not empty. */
export function variable(ctx: Context, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = ctx.env[name]?.trim()
    if (value !== undefined && value !== '') return value
  }
  return undefined
}

/** @throws SendProblem for what is no http(s) address; @param name of the variable that holds it */
export function webDestination(address: string, name?: string): Destination {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new SendProblem(`${name ?? 'it'} is no http(s) address`, 'never', name)
  }
  const tls = url.protocol === 'https:'
  const port = url.port === '' ? (tls ? 443 : 80) : Number(url.port)
  return { kind: 'host', host: url.hostname.replace(/^\[|\]$/g, ''), port, tls, web: true }
}
