/** What running services made of a move: who serves it, who keeps another version and why. */
import type { Service, Services } from '../../lifecycle/serving/services.ts'
import type { Ui } from '../ui.ts'

/** '' where no service says anything. */
export function renderServices(ui: Ui, model: string, found: Services | undefined): string {
  if (found === undefined) return ''
  const { style } = ui
  const { services, following, waited } = found
  const count = services.length
  const head =
    following === count
      ? style.good(
          `${style.symbols.ok} ${count === 1 ? 'The running service' : `All ${count} running services`} followed${waited >= 0.1 ? ` within ${waited} s` : ''}.`,
        )
      : style.warn(
          `${style.symbols.warn} ${following} of ${count} running service${count === 1 ? '' : 's'} followed${waited >= 1 ? ` within ${waited} s` : ''}:`,
        )
  const others = services.filter(({ verdict }) => verdict !== 'follows')
  return [ui.wrap(head, 2), ...others.map((service) => ui.wrap(serviceLine(ui, model, service), 4))].join('\n')
}

/** One service that does not do what the stage says. */
export function serviceLine(ui: Ui, model: string, { instance, host, verdict, version, why }: Service): string {
  const { style } = ui
  const who = `${ui.text(instance)} on ${ui.text(host)}`
  const serves = version === null ? 'serves nothing yet' : `serves ${style.name(`${model}@${version}`)}`
  const said = {
    follows: serves,
    keeps: style.bad(`keeps ${version === null ? 'serving nothing' : style.name(`${model}@${version}`)}`),
    behind: style.warn(`${serves} and has not read the change yet`),
    starting: style.warn(serves),
  }
  return `  ${style.symbols.bullet} ${who} ${said[verdict]}${why === null ? '' : `: ${ui.text(why)}`}`
}
