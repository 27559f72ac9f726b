/**
 * Which secrets of the repository the steps of a model need in their environment: for its channels (docs/alerts.md) and
 * for its prediction log. Pure.
 */

export interface Secret {
  /** As `mlops` reads it. */
  readonly name: string
  /** As the repository has it. */
  readonly secret: string
}

const same = (name: string): Secret => ({ name, secret: name })
const suffix = (text: string): string =>
  text
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')

/** @param channels as under `notify` */
export function secretsOf(
  channels: readonly string[],
  log: { readonly isPostgres: boolean; readonly predictions: 'config' | 'secret' },
): readonly Secret[] {
  const found = channels.flatMap(ofChannel)
  if (log.predictions === 'secret') found.push(same('MLOPS_PREDICTIONS'))
  // GitHub refuses no name for it, but a repository may have other databases.
  if (log.isPostgres) found.push({ name: 'PGPASSWORD', secret: 'MLOPS_PGPASSWORD' })
  return found.filter(({ name }, at) => found.findIndex((each) => each.name === name) === at)
}

function ofChannel(channel: string): Secret[] {
  const at = channel.indexOf(':')
  const kind = at < 0 ? channel : channel.slice(0, at)
  const rest = suffix(at < 0 ? '' : channel.slice(at + 1))
  const named = (name: string): Secret[] => [...(rest === '' ? [] : [same(`${name}_${rest}`)]), same(name)]
  if (kind === 'slack') return named('MLOPS_SLACK_WEBHOOK')
  // A key itself may stand there, which is nobody's name.
  if (kind === 'pagerduty') return /^[A-Z0-9]{32}$/.test(rest) ? [] : named('MLOPS_PAGERDUTY_KEY')
  if (kind === 'email') return [same('MLOPS_SMTP_URL'), same('MLOPS_SMTP_FROM')]
  if (kind === 'webhook') return [same('MLOPS_WEBHOOK_SECRET')]
  return []
}
