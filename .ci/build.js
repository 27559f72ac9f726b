// Builds `dist/` and `oclif.manifest.json`: esbuild with splitting, one entry per command, so that a command loads its
// own code and shared chunks and nothing else. Heavy packages stay outside and are imported inside functions. Commands
// that people wait for without doing anything (READS) become one file each: measured on Node 20, the twenty small
// chunks of `mlops status` cost 20 ms of 60 to find and link. `mlops track`, which adds to every training, becomes three.
// The result is made in a temporary folder and swapped in by renames: others may run dist/ at the same time.
//   --if-stale   does nothing when no source is newer than the build
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const HEAVY = ['@duckdb/node-api', '@inquirer/prompts', 'execa', 'nodemailer', 'pg', 'simple-git', 'tar', 'yaml']
const READS = /^src\/commands\/(?:complete|status|model\/(?:list|show|history|diff)|run\/(?:list|show|compare))\.ts$/
const TRACK = 'src/commands/track.ts'
const SOURCES = ['src', 'package.json', 'package-lock.json', '.ci/build.js']

/** CommonJS packages inside an ES module bundle still call `require` for Node's own modules. */
const REQUIRE =
  "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);"

/**
 * Modules of oclif that its `Command` requires at the top and that no running command of ours ever calls: configuration
 * and plugins (src/ui/main.ts dispatches), help (a bundle of its own, below), its error handler, its own output. They
 * are 250 KB to compile, a third of the time that a read command takes, so commands get an empty module instead. A call
 * into one would fail loudly in every test of a command.
 */
const UNUSED = /@oclif[\\/]core[\\/]lib[\\/](?:config[\\/]|help[\\/]index|errors[\\/]handle|ux[\\/]index).*\.js$/
/** What only those modules call, and debug, whose output nobody is told how to switch on. */
const UNUSED_PACKAGES = /node_modules[\\/](?:ejs|wrap-ansi|indent-string|clean-stack)[\\/].*\.js$/
const DEBUG = /node_modules[\\/]debug[\\/].*\.js$/
/** Takes node:readline for arguments that come from standard input, which none of ours does. 2 ms. */
const PARSE = /@oclif[\\/]core[\\/]lib[\\/]parser[\\/]parse\.js$/
const lightOclif = {
  name: 'light-oclif',
  setup({ onLoad, onResolve }) {
    for (const filter of [UNUSED, UNUSED_PACKAGES]) {
      onLoad({ filter }, () => ({ loader: 'js', contents: 'module.exports = {}' }))
    }
    onLoad({ filter: PARSE }, ({ path }) => {
      const before = 'const node_readline_1 = require("node:readline");'
      const text = readFileSync(path, 'utf8')
      if (!text.includes(before)) throw new Error(`${path} takes node:readline in another way now`)
      const after =
        'const node_readline_1 = { get createInterface() { return require("node:readline").createInterface } };'
      return { loader: 'js', contents: text.replace(before, after) }
    })
    onResolve({ filter: /^node:process$/ }, ({ path }) => ({ path, namespace: 'global' }))
    onLoad({ filter: /./, namespace: 'global' }, () => ({ contents: 'export default globalThis.process' }))
    onLoad({ filter: DEBUG }, () => ({ loader: 'js', contents: 'module.exports = () => () => {}' }))
    onResolve({ filter: /^\.\/help\.ts$/ }, () => ({ path: './help.js', external: true }))
  },
}

/**
 * What `mlops track` always needs is in its first file, however lazily other commands take it; only what follows a
 * wish of the script (a registration) stays outside, for it is as large as all the rest.
 */
const AFTER_TRACKING = /\/intents\.ts$/
const eagerTrack = {
  name: 'eager-track',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path }) => {
      const heads = []
      const text = readFileSync(path, 'utf8').replace(
        /(?<!typeof )\bimport\('(\.[^']+\.ts)'\)(?!\.[A-Z])/g,
        (whole, from) => {
          if (AFTER_TRACKING.test(from)) return whole
          heads.push(`import * as __eager${heads.length} from '${from}';`)
          return `Promise.resolve(__eager${heads.length - 1})`
        },
      )
      return { loader: 'ts', contents: heads.join('') + text }
    })
  },
}

const COMMON = {
  absWorkingDir: root,
  outbase: 'src',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  external: [...HEAVY, 'typescript', 'ts-node'],
  banner: { js: REQUIRE },
  metafile: true,
  logLevel: 'warning',
}

export async function buildDist() {
  const started = new Date()
  const staging = mkdtempSync(join(mkCache(), 'build-'))
  const outdir = join(staging, 'dist')
  try {
    const commands = filesUnder('src/commands').filter((file) => file.endsWith('.ts'))
    const light = { ...COMMON, outdir, plugins: [lightOclif] }
    const entries = ['src/ui/built.ts', ...commands.filter((file) => !READS.test(file) && file !== TRACK)]
    const results = await Promise.all([
      build({ ...light, entryPoints: entries, splitting: true }),
      build({ ...light, entryPoints: commands.filter((file) => READS.test(file)) }),
      build({ ...light, entryPoints: [TRACK], splitting: true, plugins: [lightOclif, eagerTrack] }),
      build({ ...COMMON, outdir, entryPoints: ['src/ui/help.ts'] }),
    ])
    writeNotices(results, outdir)
    makeManifest(staging)
    // What is saved while this runs is newer than what was built.
    utimesSync(join(staging, 'oclif.manifest.json'), started, started)
    swapIn(staging)
    // What each file of dist/ holds, for the tests of what a command loads.
    const outputs = Object.assign({}, ...results.map(({ metafile }) => metafile.outputs))
    writeFileSync(join(root, '.cache/metafile.json'), JSON.stringify(relativeTo({ outputs }, staging)))
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}

/** The licences of the packages whose code is inside dist/. */
function writeNotices(results, outdir) {
  const inputs = results.flatMap(({ metafile }) => Object.keys(metafile.inputs))
  const packages = new Set(inputs.map((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]).filter(Boolean))
  const notices = [...packages].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    const file = readdirSync(join(root, folder)).find((each) => /^licen[cs]e/i.test(each))
    const text = file === undefined ? `Licence: ${license}` : readFileSync(join(root, folder, file), 'utf8').trim()
    return `${name} ${version}\n\n${text}\n`
  })
  writeFileSync(join(outdir, 'THIRD-PARTY-NOTICES.txt'), notices.join(`\n${'-'.repeat(80)}\n\n`))
}

/** oclif writes the manifest beside package.json and loads every command from ./dist to do so. */
function makeManifest(staging) {
  cpSync(join(root, 'package.json'), join(staging, 'package.json'))
  symlinkSync(join(root, 'node_modules'), join(staging, 'node_modules'), 'junction')
  execFileSync(process.execPath, [join(root, 'node_modules/oclif/bin/run.js'), 'manifest', staging], {
    cwd: staging,
    stdio: ['ignore', 'ignore', 'inherit'],
    // Its update check would phone home.
    env: { ...process.env, NODE_ENV: 'production', OCLIF_SKIP_NEW_VERSION_CHECK: '1' },
  })
}

/** The metafile with outputs named as they are after the swap: `dist/…`. */
function relativeTo(metafile, staging) {
  const prefix = `${relative(root, staging)}/`
  return JSON.parse(JSON.stringify(metafile).replaceAll(prefix, ''))
}

function swapIn(staging) {
  const old = join(staging, 'old')
  if (existsSync(join(root, 'dist'))) renameSync(join(root, 'dist'), old)
  renameSync(join(staging, 'dist'), join(root, 'dist'))
  renameSync(join(staging, 'oclif.manifest.json'), join(root, 'oclif.manifest.json'))
}

/** @returns whether a source is newer than the build */
export function isStale() {
  const built = join(root, 'oclif.manifest.json')
  if (!existsSync(built) || !existsSync(join(root, 'dist'))) return true
  const since = statSync(built).mtimeMs
  return SOURCES.flatMap(filesUnder).some((file) => statSync(join(root, file)).mtimeMs > since)
}

/** A folder on the same file system as dist/, so that renames are possible. */
function mkCache() {
  const cache = join(root, '.cache')
  mkdirSync(cache, { recursive: true })
  return cache
}

function filesUnder(path) {
  const full = join(root, path)
  if (!existsSync(full)) return []
  if (!statSync(full).isDirectory()) return [path]
  return readdirSync(full, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!process.argv.includes('--if-stale') || isStale()) await buildDist()
}
