/** What surrounds a run, a line for each fact: who, where, code, packages, seeds, resources, kin. */
import { changesAreRecorded } from '../../core/recorded-changes.ts'
import type { RunDetail } from '../../tracking/records/run-summary.ts'
import { bytes, day, duration } from '../time.ts'
import type { Ui } from '../ui.ts'
import { fitted } from './run-words.ts'
import { shortDigest } from './values.ts'

/** Longest name of a fact, and the blanks around it. */
const USED = 14

type Fact = readonly [name: string, text: string | undefined]

export function factLines(ui: Ui, run: RunDetail): string[] {
  const facts = [...whoAndWhere(ui, run), ...codeFacts(ui, run), ...machineFacts(ui, run), ...kinFacts(ui, run)]
  const width = Math.max(...facts.map(([name]) => name.length))
  return facts.flatMap(([name, text]) => (text === undefined ? [] : [`  ${ui.style.dim(name.padEnd(width))}  ${text}`]))
}

function whoAndWhere(ui: Ui, run: RunDetail): Fact[] {
  const { life } = run
  const started = `${day(run.started)} by ${ui.text(run.actor.name)} on ${ui.text(run.host.name)}`
  return [
    ['model', run.model === null ? undefined : ui.text(run.model)],
    ['command', fitted(ui, run.command.join(' '), USED)],
    ['folder', run.cwd === '.' ? 'that of the project (.)' : fitted(ui, run.cwd, USED)],
    ['started', started],
    ['took', run.duration === null ? undefined : duration(run.duration)],
    ['process', run.status === 'running' ? whichProcess(ui, run) : undefined],
    ['heard of', life === null || life.process === 'alive' ? undefined : heard(ui, run)],
  ]
}

/** Whoever writes the end: a signal to it reaches the command, and the run is recorded as interrupted. */
function whichProcess(ui: Ui, { life, host }: RunDetail): string | undefined {
  if (life?.pid == null) return undefined
  const where = `${life.pid} on ${ui.text(host.name)}`
  return life.process === 'alive' ? `${where}, ended by ${ui.style.command(`kill ${life.pid}`)}` : where
}

/** Seconds by which the clocks of two hosts may differ: as long as a run may be silent. */
const CLOCKS_DIFFER = 60

/** When nothing but the heartbeat tells. Clocks of hosts differ: a beat may seem to come from the future. */
function heard(ui: Ui, { life, host, status }: RunDetail): string {
  if (life?.heard == null) return ui.style.warn('never: it has no heartbeat')
  const seconds = (ui.now.getTime() - Date.parse(life.heard)) / 1000
  const when = seconds < 60 ? `${Math.max(0, Math.round(seconds))} s ago` : ui.ago(life.heard)
  if (seconds < -CLOCKS_DIFFER && life.process === 'unknown') {
    const when = `${ui.ago(life.heard)}, by the clock of ${ui.text(host.name)}`
    return ui.style.warn(`${when}: its clock or this one is wrong, so whether it goes on cannot be known`)
  }
  const text = life.process === 'gone' ? when : `${when}, from ${ui.text(host.name)}`
  return status === 'interrupted' ? ui.style.warn(text) : text
}

function codeFacts(ui: Ui, run: RunDetail): Fact[] {
  const { git, python } = run
  return [
    ['code', git == null ? undefined : describeGit(ui, git)],
    ['patch', git == null ? undefined : describePatch(ui, run, git)],
    ...(git?.submodules ?? []).map((each): Fact => {
      const state = each.commit === null ? 'not initialised' : each.commit.slice(0, 12)
      const dirty = each.dirty ? `, with changes not committed${each.patch === undefined ? '' : ' (kept)'}` : ''
      return [
        'submodule',
        fitted(ui, `${each.path} ${state}${each.url === null ? '' : ` (${each.url})`}${dirty}`, USED),
      ]
    }),
    ['python', python == null ? undefined : fitted(ui, `${python.version} at ${python.executable}`, USED)],
    ['packages', python == null ? undefined : describePackages(python)],
    ['seed', describeSeed(ui, run)],
  ]
}

function describeGit(ui: Ui, git: NonNullable<RunDetail['git']>): string {
  const where = [git.branch, git.remote].filter((each) => each !== null)
  const commit = git.commit === null ? 'no commit yet' : git.commit.slice(0, 12)
  return fitted(
    ui,
    `${commit}${where.length === 0 ? '' : ` (${where.join(', ')})`}${git.dirty ? ', with changes not committed' : ''}`,
    USED,
  )
}

function describePatch(ui: Ui, run: RunDetail, git: NonNullable<RunDetail['git']>): string | undefined {
  const { patch } = git
  if (patch !== undefined) {
    const pin = ` (${bytes(patch.size)}, ${shortDigest(patch.sha256)})`
    return fitted(ui, patch.files.join(', '), USED + pin.length) + pin
  }
  if (changesAreRecorded(git)) return undefined
  return ui.style.warn(`none${run.source === 'python' ? ': only mlops track records the changes' : ''}`)
}

function describePackages({ lock, environment }: NonNullable<RunDetail['python']>): string | undefined {
  if (lock === undefined && environment === undefined) return undefined
  const count = lock === undefined ? '' : `${lock.packages}`
  if (environment === undefined) return `${count} (${shortDigest(lock?.sha256)})`
  const { manager, hashed, sha256 } = environment
  const known = hashed === 0 ? '' : `, ${hashed} of them known by digest`
  return `${count} of ${manager}${known} (${shortDigest(sha256)})`.trim()
}

function describeSeed(ui: Ui, { seed, seedFrom, seeds }: RunDetail): string | undefined {
  const from =
    seedFrom === null ? '' : { flag: ' (--seed)', environment: ' (MLOPS_SEED)', random: ' (chosen by mlops)' }[seedFrom]
  const parts = [
    ...(seed === null ? [] : [`${seed}${from}`]),
    ...(seeds.length === 0 ? [] : [`in parameters: ${seeds.map(({ name, value }) => `${name}=${value}`).join(', ')}`]),
  ]
  return parts.length === 0 ? undefined : fitted(ui, parts.join('; '), USED)
}

function machineFacts(ui: Ui, run: RunDetail): Fact[] {
  const { host } = run
  const system = host.release === undefined ? host.platform : `${host.platform} ${host.release}`
  const cpus = `${host.cpus} CPU${host.cpus === 1 ? '' : 's'}${host.cpu === undefined ? '' : ` (${host.cpu})`}`
  return [
    ['host', fitted(ui, `${system}, ${cpus}, ${bytes(host.memory)} of memory`, USED)],
    ...(host.gpus ?? []).map((gpu): Fact => {
      const memory = gpu.memory === undefined ? '' : `, ${bytes(gpu.memory)}`
      return [
        'gpu',
        fitted(ui, `${gpu.name}${memory}${gpu.driver === undefined ? '' : `, driver ${gpu.driver}`}`, USED),
      ]
    }),
    ['used', describeResources(run)],
  ]
}

function describeResources({ resources }: RunDetail): string | undefined {
  const of = resources?.memoryOf === 'process' ? ' by its own process' : ''
  const parts = [
    resources?.maxRssBytes === undefined ? '' : `${bytes(resources.maxRssBytes)} of memory at most${of}`,
    resources?.cpuSeconds === undefined ? '' : `${duration(resources.cpuSeconds)} of CPU`,
  ].filter((part) => part !== '')
  return parts.length === 0 ? undefined : parts.join(', ')
}

function kinFacts(ui: Ui, run: RunDetail): Fact[] {
  return [
    ['tags', run.tags.length === 0 ? undefined : fitted(ui, run.tags.join(', '), USED)],
    ['parent', run.parent === null ? undefined : ui.style.name(ui.text(run.parent))],
    ['reproduces', run.reproduces === null ? undefined : ui.style.name(ui.text(run.reproduces))],
    ...run.reproductions.map(({ by, verdict, time }): Fact => {
      const painted = verdict === 'different' ? ui.style.bad(verdict) : ui.style.good(verdict)
      return ['repeated', `by ${ui.style.name(ui.text(by))}: ${painted} (${ui.ago(time)})`]
    }),
  ]
}
