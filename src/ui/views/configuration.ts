/** The keys of the configuration files, one block per record. */
import type { ConfigKey } from '../../project/config-keys.ts'
import type { Ui } from '../ui.ts'

export function renderConfigKeys(ui: Ui, keys: readonly ConfigKey[]): string {
  const places = [...new Set(keys.map(place))]
  return places
    .map((name) =>
      block(
        ui,
        name,
        keys.filter((key) => place(key) === name),
      ),
    )
    .join('\n\n')
}

const place = ({ file, section }: ConfigKey): string => (section === '' ? file : `${file}  ${section}`)

function block(ui: Ui, name: string, keys: readonly ConfigKey[]): string {
  const lines = keys.flatMap((key) => {
    const more = key.required ? ' (required)' : key.default === null ? '' : ` (default ${key.default})`
    const example = key.example === null ? [] : [ui.style.dim(`    ${key.key}: ${key.example}`)]
    return [`  ${ui.style.bold(key.key)}: ${key.is}${more}`, `    ${key.meaning}`, ...example]
  })
  return [ui.style.heading(name), ...lines].join('\n')
}
