/** An authority of one's own and a certificate that it signed, by openssl; in a folder that the test removes. */
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { skipBecause } from './skip.ts'

export interface Certificates {
  /** Path for `NODE_EXTRA_CA_CERTS`. */
  readonly authority: string
  readonly tls: { readonly key: Buffer; readonly cert: Buffer }
}

/** Skips the test where openssl is not installed. @param hosts names and addresses the certificate is for */
export function certificates(test: Mocha.Context, folder: string, hosts: readonly string[]): Certificates {
  if (spawnSync('openssl', ['version']).status !== 0) skipBecause(test, 'openssl is not installed')
  const at = (name: string): string => join(folder, name)
  const openssl = (...words: string[]): void => void execFileSync('openssl', words, { stdio: 'ignore' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl(
    'req',
    '-x509',
    ...key,
    '-days',
    '2',
    '-subj',
    '/CN=test authority',
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.pem'),
  )
  openssl('req', ...key, '-subj', '/CN=test', '-keyout', at('key.pem'), '-out', at('request.pem'))
  const names = hosts.map((host) => `${/^[\d.]+$/.test(host) ? 'IP' : 'DNS'}:${host}`)
  writeFileSync(at('names'), `subjectAltName=${names.join(',')}\n`)
  const signed = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2', '-extfile', at('names')]
  openssl('x509', '-req', '-in', at('request.pem'), ...signed, '-out', at('cert.pem'))
  return { authority: at('ca.pem'), tls: { key: readFileSync(at('key.pem')), cert: readFileSync(at('cert.pem')) } }
}
