// Writes docs/configuration.md and docs/schemas/*.json from the schemas of the configuration files.
// Run with tsx: node --import tsx .ci/docs-config.js
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { configDocs } from '../src/project/config-docs.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
for (const [path, content] of Object.entries(configDocs())) {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), content)
  console.log(path)
}
