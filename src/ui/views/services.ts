/** What running services made of a move: who serves it, who keeps another version and why. */
import type { Service, Services } from '../../lifecycle/serving/services.ts'
import type { Ui } from '../ui.ts'

/** The mark of what was done: no tick where the running services did not all follow. */
export const doneMark = ({ style }: Ui, found: Services | undefined): string =>
  found === undefined || found.followed === 'all' ? style.good(style.symbols.ok) : style.warn(style.symbols.warn)

/** What a headline ends with where it was done, and is not what answers. */
export function notFollowed({ style }: Ui, found: Services | undefined): string {
  if (found === undefined || found.followed === 'all') return ''
  const { running, following } = found
  if (following > 0)
    return style.warn(
      `, but only ${following} of ${running} running services ${following === 1 ? 'follows' : 'follow'}`,
    )
  return style.bad(running === 0 ? ', but no service runs that follows' : ', but no running service follows')
}

/** '' where no service says anything. */
export function renderServices(ui: Ui, model: string, found: Services | undefined): string {
  if (found === undefined) return ''
  const { style } = ui
  const { following, running: count, followed, remedy, waited, services } = found
  const head =
    followed === 'all'
      ? style.good(
          `${style.symbols.ok} ${count === 1 ? 'The running service' : `All ${count} running services`} followed${waited >= 0.1 ? ` within ${waited} s` : ''}.`,
        )
      : style.warn(
          `${style.symbols.warn} ${following} of ${count} running service${count === 1 ? '' : 's'} followed${waited >= 1 ? ` within ${waited} s` : ''}:`,
        )
  const others = services.filter(({ verdict }) => verdict !== 'follows')
  const next =
    remedy === null
      ? []
      : [`  Next: ${style.command(ui.text(remedy.command))}`, ui.wrap(`  ${style.dim(ui.text(remedy.why))}`, 4)]
  return [ui.wrap(head, 2), ...others.map((service) => ui.wrap(serviceLine(ui, model, service), 4)), ...next].join('\n')
}

/** One service that does not do what the stage says. */
export function serviceLine(ui: Ui, model: string, { instance, host, verdict, version, why }: Service): string {
  const { style } = ui
  const who = `${ui.text(instance)} on ${ui.text(host)}`
  const serves = version === null ? 'serves nothing' : `serves ${style.name(`${model}@${version}`)}`
  const said = {
    follows: serves,
    keeps: style.bad(`keeps ${version === null ? 'serving nothing' : style.name(`${model}@${version}`)}`),
    behind: style.warn(`${serves} and has not read the change yet`),
    starting: style.warn(serves),
    silent: style.warn(`has stopped saying that it runs (it ${serves.replace('serves', 'served')})`),
  }
  return `  ${style.symbols.bullet} ${who} ${said[verdict]}${why === null ? '' : `: ${ui.text(why)}`}`
}
