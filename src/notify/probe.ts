/**
 * Does a channel answer? Without sending anything: what is configured, whether its host takes a connection, whether its
 * file may be written. That a message arrives is proven by `mlops notify test` alone.
 */
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { dirname, resolve } from 'node:path'
import type { Context } from '../core/context.ts'
import { systemCode } from '../core/errors.ts'
import { tunnel } from '../net/connect.ts'
import { hostOf, portOf, proxyFor } from '../net/proxy.ts'
import { type Destination, SendProblem } from './channel.ts'
import { namedChannels, openChannel } from './channels.ts'
import { conceal } from './clean.ts'
import { networkProblem } from './http.ts'

export interface ChannelProbe {
  /** Without what is secret. */
  readonly channel: string
  /** Null: nobody asked its host (`offline`). */
  readonly answers: boolean | null
  /** Why not, in one line. */
  readonly why: string | null
  /** The environment variable to set, when that is what is missing. */
  readonly missing: string | null
}

export interface ProbeOptions {
  /** Folder that relative paths are relative to. */
  readonly root: string
  /** Look at what is configured and connect to nobody. */
  readonly offline: boolean
  /** Milliseconds; 5,000 when nothing is said. */
  readonly timeout?: number
}

/** Never rejects. All at once, in the order of the channels. */
export function probeChannels(
  ctx: Context,
  channels: readonly string[],
  options: ProbeOptions,
): Promise<ChannelProbe[]> {
  return Promise.all(
    namedChannels(channels).map(async ({ written, label }) => {
      let secrets: readonly string[] = []
      try {
        const channel = await openChannel(written, ctx)
        secrets = channel.secrets
        const answers = await reach(ctx, channel.destination(), options)
        return { channel: label, answers, why: null, missing: null }
      } catch (error) {
        const why = conceal(error instanceof Error ? error.message : String(error), secrets)
        const missing = error instanceof SendProblem ? (error.missing ?? null) : null
        return { channel: label, answers: false, why, missing }
      }
    }),
  )
}

type Host = Extract<Destination, { kind: 'host' }>

/** @returns null when it was not tried. @throws SendProblem */
async function reach(
  ctx: Context,
  destination: Destination,
  { root, offline, timeout = 5_000 }: ProbeOptions,
): Promise<true | null> {
  switch (destination.kind) {
    case 'terminal':
      return true
    case 'file':
      await assertWritable(resolve(root, destination.path))
      return true
    default:
      if (offline) return null
      await connect(ctx, destination, timeout)
      return true
  }
}

async function assertWritable(path: string): Promise<void> {
  try {
    await access(path, constants.W_OK)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw new SendProblem('it may not be written', 'never')
    try {
      await access(dirname(path), constants.W_OK)
    } catch {
      throw new SendProblem('its folder does not exist or may not be written', 'never')
    }
  }
}

/** Through the proxy that a message would take, where one is set; mail servers are not reached through one. */
async function connect(ctx: Context, { host, port, tls, web }: Host, timeout: number): Promise<void> {
  const limit = AbortSignal.timeout(timeout)
  const url = new URL(`${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`)
  try {
    const proxy = web ? proxyFor(url, ctx.env) : undefined
    const socket = proxy === undefined ? await dial(url, limit) : await tunnel(url, proxy, limit)
    socket.destroy()
  } catch (error) {
    if (limit.aborted) throw new SendProblem(`no answer within ${timeout / 1000} s`, 'soon')
    throw networkProblem(error)
  }
}

async function dial(url: URL, signal: AbortSignal): Promise<Socket> {
  const { connect: plain, isIP } = await import('node:net')
  const { connect: safe } = await import('node:tls')
  const [host, port] = [hostOf(url), portOf(url)]
  const tls = url.protocol === 'https:'
  return new Promise((done, fail) => {
    // An address is no name that a certificate could be asked for (RFC 6066, section 3).
    const socket = tls ? safe({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}) }) : plain({ host, port })
    const stop = (): void => {
      socket.destroy()
      fail(signal.reason)
    }
    signal.addEventListener('abort', stop, { once: true })
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      signal.removeEventListener('abort', stop)
      done(socket)
    })
    socket.once('error', fail)
  })
}
