/** Where the Python client of this installation is: the folder that goes onto PYTHONPATH. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** @returns absolute path of `templates/python`; undefined when the installation is incomplete */
export function clientFolder(): string | undefined {
  // From `src/tracking/` and from any chunk in `dist/` alike: the package's root is some folders up.
  for (let here = dirname(fileURLToPath(import.meta.url)); ; here = dirname(here)) {
    const folder = join(here, 'templates', 'python')
    if (existsSync(join(folder, 'mlops', '__init__.py'))) return folder
    if (dirname(here) === here) return undefined
  }
}
