#!/usr/bin/env node
// Runs from source, for work on mlops itself: `bin/dev.js model list`.
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { register } from 'tsx/esm/api'

register()
const { runSource } = await import('../src/ui/dev.ts')
await runSource(dirname(dirname(fileURLToPath(import.meta.url))), process.argv.slice(2))
