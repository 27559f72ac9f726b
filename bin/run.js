#!/usr/bin/env node
// The installed entry. Nothing may be imported here that `--version` does not need.
import { readFileSync } from 'node:fs'
import module from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
if (process.argv[2] === '--version' && process.argv.length === 3 && !process.env.MLOPS_JSON) {
  const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))
  process.stdout.on('error', ({ code }) => {
    if (code === 'EPIPE') return
    process.stderr.write(`mlops: stdout cannot be written (${code})\n`)
    process.exitCode = 1
  })
  process.stdout.write(`mlops ${version}\n`)
} else {
  // Node 22.8 and later keep compiled code between runs; Node 20 has no such function.
  module.enableCompileCache?.()
  const { runBuilt } = await import('../dist/ui/built.js')
  await runBuilt(root, process.argv.slice(2))
}
