/**
 * Images for real, without a Docker engine: buildah in a store of its own, a base made by debootstrap, and containers as
 * processes in namespaces: root file system of the image, read-only, as its user, its command as process 1. Needs root.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { skipBecause } from '../../support/skip.ts'
import { ROOT } from '../harness.ts'

/** What the Dockerfile is given as its base. */
export const BASE = 'localhost/python-base:3.11'
/** Made once, and kept: debootstrap downloads 100 MB. */
const DEBIAN = join(ROOT, '.cache/debian-python.tar')
const PACKAGES = 'python3,python3-pip,python3-venv,ca-certificates'

export interface ImageConfig {
  readonly User: string
  readonly Env: readonly string[]
  readonly Cmd: readonly string[]
  readonly Healthcheck: { readonly Test: readonly string[] }
  readonly Labels: Readonly<Record<string, string>>
}

export interface Images {
  /** What the build printed; its exit code. */
  build(context: string, tag: string): { readonly code: number; readonly output: string }
  config(tag: string): ImageConfig
  /** The root file system of an image. */
  root(tag: string): string
  remove(): void
}

export interface Container {
  readonly process: ChildProcess
  /** Ends all of it at once. */
  kill(): void
  /** Runs a command in it, as its user. */
  exec(command: readonly string[]): { readonly code: number; readonly output: string }
  output(): string
  /** SIGTERM to process 1. Resolves with its exit code. */
  stop(): Promise<number | null>
}

/** Skips, saying why, where images are not asked for or cannot be built. */
export function images(context: Mocha.Context): Images {
  if (process.env.MLOPS_TEST_IMAGE !== '1') skipBecause(context, 'a real image is built with MLOPS_TEST_IMAGE=1')
  for (const program of ['buildah', 'debootstrap'])
    if (spawnSync('which', [program]).status !== 0) skipBecause(context, `${program} is not installed`)
  if (process.getuid?.() !== 0) skipBecause(context, 'images and containers are made by root here')
  const folder = mkdtempSync(join(tmpdir(), 'mlops-images-'))
  const buildah = (...args: readonly string[]): string =>
    execFileSync('buildah', [...own(folder), ...args], {
      env,
      encoding: 'utf8',
      stdio: 'pipe',
      maxBuffer: 64 << 20,
    }).trim()
  makeBase(folder, buildah)
  return {
    build(from, tag) {
      // The certificates and the package index of this machine; a Dockerfile names neither.
      const mounts = ['/etc/ssl/certs', '/etc/pip.conf'].filter((path) => existsSync(path))
      const words = ['build', '--format', 'docker', '--pull-never', '--build-arg', `BASE_IMAGE=${BASE}`, '--tag', tag]
      const volumes = mounts.flatMap((path) => ['--volume', `${path}:${path}:ro`])
      const options = { env, encoding: 'utf8' as const, maxBuffer: 64 << 20 }
      const { status, stdout, stderr } = spawnSync('buildah', [...own(folder), ...words, ...volumes, from], options)
      return { code: status ?? -1, output: stdout + stderr }
    },
    config: (tag) => JSON.parse(buildah('inspect', '--type', 'image', tag)).Docker.config,
    root: (tag) => buildah('mount', buildah('from', '--pull-never', tag)),
    remove() {
      // Before its folder: a driver other than vfs has mounts in it.
      buildah('umount', '--all')
      buildah('rm', '--all')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** vfs works on every file system, and copies every layer: STORAGE_DRIVER=overlay is faster where it can be had. */
const driver = process.env.STORAGE_DRIVER ?? 'vfs'
const env = { ...process.env, STORAGE_DRIVER: driver, BUILDAH_ISOLATION: 'chroot' }
const own = (folder: string): string[] => [
  ...['--storage-driver', driver, '--root', join(folder, 'storage'), '--runroot', join(folder, 'run')],
]

function makeBase(folder: string, buildah: (...args: readonly string[]) => string): void {
  if (!existsSync(DEBIAN)) {
    const root = join(folder, 'debian')
    execFileSync('debootstrap', ['--variant=minbase', `--include=${PACKAGES}`, 'bookworm', root], { stdio: 'pipe' })
    for (const each of ['var/cache/apt/archives', 'var/lib/apt/lists'])
      for (const name of readdirSync(join(root, each))) rmSync(join(root, each, name), { recursive: true })
    // As the images of Python have it.
    symlinkSync('/usr/bin/python3', join(root, 'usr/local/bin/python'))
    mkdirSync(join(ROOT, '.cache'), { recursive: true })
    execFileSync('tar', ['--one-file-system', '-cf', DEBIAN, '-C', root, '.'])
    rmSync(root, { recursive: true })
  }
  const container = buildah('from', 'scratch')
  buildah('add', '--quiet', container, DEBIAN, '/')
  const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
  buildah('config', '--env', `PATH=${path}`, container)
  buildah('commit', '--quiet', '--rm', container, BASE)
}

/** @param mounts folders of this machine by where they are in the container, read-only */
export async function start(
  root: string,
  { User, Env, Cmd }: ImageConfig,
  more: Readonly<Record<string, string>>,
  mounts: Readonly<Record<string, string>> = {},
): Promise<Container> {
  const variables = [...Env, ...Object.entries(more).map(([key, value]) => `${key}=${value}`)]
  const bind = Object.entries(mounts).map(
    ([inside, outside]) =>
      `mkdir -p '${root}${inside}' && mount --bind '${outside}' '${root}${inside}' && mount -o remount,bind,ro '${root}${inside}'`,
  )
  const script = [
    `mount --bind '${root}' '${root}'`,
    ...bind,
    `mount -o remount,bind,ro '${root}'`,
    `mount -t tmpfs tmpfs '${root}/tmp'`,
    `mount -t proc proc '${root}/proc'`,
    `mount --rbind /dev '${root}/dev'`,
    `exec "$@"`,
  ].join(' && ')
  const enter = ['chroot', `--userspec=${User}`, '--groups=', root, 'env', '-i', '-C', '/service', ...variables]
  const words = ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', script, 'sh', ...enter, ...Cmd]
  const child = spawn('unshare', words, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  child.stderr.on('data', (chunk) => {
    output += chunk
  })
  const ended = new Promise<number | null>((done) => child.on('close', done))
  /** Process 1 of the container, as this machine numbers it; '' when it has ended. */
  const first = (): string => spawnSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' }).stdout.trim()
  const signal = (name: NodeJS.Signals): void => {
    // Not `unshare` itself: whoever changes its user outlives its parent.
    if (/^\d+$/.test(first())) process.kill(Number(first()), name)
  }
  return {
    process: child,
    output: () => output,
    exec(command) {
      const options = { encoding: 'utf8' as const }
      const { status, stdout, stderr } = spawnSync(
        'nsenter',
        ['--target', first(), '--mount', '--pid', ...enter, ...command],
        options,
      )
      return { code: status ?? -1, output: stdout + stderr }
    },
    kill: () => signal('SIGKILL'),
    stop() {
      signal('SIGTERM')
      return ended
    },
  }
}
