/** Where the templates of this installation are, and among them the Python client: the folder for PYTHONPATH. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** @returns absolute path of `templates/python`; undefined when the installation is incomplete */
export const clientFolder = (): string | undefined => {
  const folder = templateFolder('python')
  return folder !== undefined && existsSync(join(folder, 'mlops', '__init__.py')) ? folder : undefined
}

/** @returns absolute path of `templates/<name>`; undefined when the installation does not have it */
export function templateFolder(name: string): string | undefined {
  // From `src/tracking/` and from any chunk in `dist/` alike: the package's root is some folders up.
  for (let here = dirname(fileURLToPath(import.meta.url)); ; here = dirname(here)) {
    const folder = join(here, 'templates', name)
    if (existsSync(folder)) return folder
    if (dirname(here) === here) return undefined
  }
}
