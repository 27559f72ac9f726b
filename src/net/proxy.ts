/**
 * Which proxy a request goes through, by the variables that every tool honours: `HTTPS_PROXY`, `HTTP_PROXY`,
 * `ALL_PROXY`, `NO_PROXY`, in lower case first. Pure; going through it is `connect.ts`.
 */
import { BlockList, isIP } from 'node:net'

export type NetEnv = Readonly<Record<string, string | undefined>>

/** A value of a proxy variable that cannot be used. The message names the variable, never its value: it may hold a password. */
export class ProxyProblem extends Error {
  readonly variable: string
  constructor(variable: string, message: string) {
    super(`${variable} ${message}`)
    this.name = 'ProxyProblem'
    this.variable = variable
  }
}

const DEFAULT_PORT: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 }

export const portOf = ({ port, protocol }: URL): number => (port === '' ? (DEFAULT_PORT[protocol] ?? 0) : Number(port))

/** Without the brackets of an IPv6 address and the dot of a fully qualified name. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')

/** This machine, by name or by address. What is meant for it never travels, neither in the clear nor through a proxy. */
export function isLoopback(url: URL): boolean {
  const host = hostOf(url)
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

/**
 * @returns the proxy, or undefined where the way is direct: no variable is set, `NO_PROXY` names the host, loopback
 * @throws ProxyProblem for an address or a kind of proxy that cannot be used
 */
export function proxyFor(url: URL, env: NetEnv): URL | undefined {
  if (isLoopback(url) || isExempt(url, value(env, 'no_proxy')?.text ?? '')) return undefined
  const found = value(env, url.protocol === 'https:' ? 'https_proxy' : 'http_proxy') ?? value(env, 'all_proxy')
  if (found === undefined) return undefined
  const written = /^[a-z][a-z0-9+.-]*:\/\//i.test(found.text) ? found.text : `http://${found.text}`
  if (!URL.canParse(written)) throw new ProxyProblem(found.name, 'is not the address of a proxy')
  const proxy = new URL(written)
  if (proxy.protocol === 'http:' || proxy.protocol === 'https:') return proxy
  throw new ProxyProblem(found.name, `names a proxy of the kind ${proxy.protocol}//; only http:// and https:// work`)
}

/** Lower case goes first, as with curl: a server that passes headers on as variables could be told `HTTP_PROXY`. */
function value(env: NetEnv, name: string): { readonly name: string; readonly text: string } | undefined {
  for (const each of [name, name.toUpperCase()]) {
    const text = env[each]?.trim()
    if (text !== undefined && text !== '') return { name: each, text }
  }
  return undefined
}

/** `NO_PROXY`: hosts (and all below them), `.domain`, addresses, `10.0.0.0/8`, each with `:port` if only that; `*`. */
function isExempt(url: URL, list: string): boolean {
  const host = hostOf(url).toLowerCase()
  const port = portOf(url)
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => entry === '*' || matches(entry, host, port))
}

function matches(entry: string, host: string, port: number): boolean {
  const [, bracketed, bracketedPort] = /^\[([^\]]+)\](?::(\d+))?$/.exec(entry) ?? []
  const [, plain, plainPort] = /^([^:]+)(?::(\d+))?$/.exec(entry) ?? []
  // An IPv6 address without brackets has colons, and no port.
  const name = bracketed ?? plain ?? entry
  const only = bracketedPort ?? plainPort
  if (only !== undefined && Number(only) !== port) return false
  if (name.includes('/')) return isInNetwork(name, host)
  if (isIP(name) !== 0) return isIP(host) !== 0 && isInNetwork(`${name}/${isIP(name) === 4 ? 32 : 128}`, host)
  const domain = name.replace(/^\*?\./, '')
  return host === domain || host.endsWith(`.${domain}`)
}

function isInNetwork(network: string, host: string): boolean {
  const [address = '', bits = ''] = network.split('/')
  const family = isIP(address)
  if (family === 0 || isIP(host) !== family || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128)) {
    return false
  }
  const kind = family === 4 ? 'ipv4' : 'ipv6'
  const list = new BlockList()
  list.addSubnet(address, Number(bits), kind)
  return list.check(host, kind)
}
