/** Addresses of remotes without what grants access: what may be written down, and what may be shown. Pure. */
import { redactText } from '../core/redact.ts'

/**
 * Without the user and the password in it. By ssh the user is a part of the address (`ssh://git@host`), and stays.
 * `host:path`, which is no URL, can hold no password.
 */
export function withoutUserInfo(address: string): string {
  const [, scheme = '', info = '', rest = ''] = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)@(.*)$/is.exec(address) ?? []
  if (scheme === '') return address
  const user = /ssh/i.test(scheme) ? info.replace(/:.*$/s, '') : ''
  return user === '' ? `${scheme}${rest}` : `${scheme}${user}@${rest}`
}

/** As it may be printed and as others may read it: without a token in its path or query either. */
export function shownAddress(address: string): string {
  const safe = withoutUserInfo(address)
  const [, user = '', rest = safe] = /^([a-z+]*ssh[a-z+]*:\/\/[A-Za-z0-9._-]+@)(.*)$/is.exec(safe) ?? []
  return user + redactText(rest)
}
