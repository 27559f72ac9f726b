/**
 * Runs a workflow for real: each job in a folder and an environment of its own, steps in bash, `if:` and `${{ }}` by
 * GitHub's expression library, `uses:` from a table of stand-ins. What GitHub decides before a workflow runs (which event
 * starts which) is the test's business.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { ACTIONS } from './actions.ts'
import { type Contexts, filled, holds, type Standing } from './expressions.ts'

export interface RunnerOptions {
  /** Text of the workflow. */
  readonly workflow: string
  readonly event: { readonly name: string; readonly payload?: Readonly<Record<string, unknown>> }
  readonly inputs?: Readonly<Record<string, string>>
  /** A bare repository. */
  readonly repository: string
  /** What is checked out without `ref:`: a branch, a commit. */
  readonly ref: string
  readonly secrets?: Readonly<Record<string, string>>
  readonly token: string
  /** Of the machine: PATH and where GitHub is. */
  readonly env: Readonly<Record<string, string>>
  /** The `github` context beside what the runner knows. */
  readonly github: Readonly<Record<string, unknown>>
}

export interface JobOutcome {
  readonly result: 'success' | 'failure' | 'skipped'
  readonly outputs: Readonly<Record<string, string>>
  readonly summary: string
  readonly log: string
  /** Where artifacts were put. */
  readonly artifacts: string
}

export interface RunOutcome {
  readonly conclusion: 'success' | 'failure'
  readonly jobs: Readonly<Record<string, JobOutcome>>
  /** Of all jobs, secrets masked. */
  readonly log: string
}

interface Step {
  readonly id?: string
  readonly name?: string
  readonly if?: string
  readonly uses?: string
  readonly run?: string
  readonly with?: Readonly<Record<string, unknown>>
  readonly env?: Readonly<Record<string, unknown>>
}
interface Job {
  readonly needs?: string | readonly string[]
  readonly if?: string
  readonly uses?: string
  readonly env?: Readonly<Record<string, unknown>>
  readonly outputs?: Readonly<Record<string, string>>
  readonly steps?: readonly Step[]
}

export async function runWorkflow(options: RunnerOptions): Promise<RunOutcome> {
  const { jobs } = load(options.workflow) as { jobs: Record<string, Job> }
  const done: Record<string, JobOutcome> = {}
  // In the order of the file: a generated workflow names what a job needs before it.
  for (const [id, job] of Object.entries(jobs)) {
    const needs = [job.needs ?? []].flat()
    const contexts = contextsOf(options, Object.fromEntries(needs.map((need) => [need, done[need] ?? {}])))
    const standing = needs.every((need) => done[need]?.result === 'success') ? 'success' : 'failure'
    // A job of another workflow is not run here.
    const isOurs = job.uses === undefined && holds(job.if, contexts, standing)
    done[id] = isOurs ? await runJob(id, job, contexts, options) : SKIPPED
  }
  const outcomes = Object.values(done)
  const conclusion = outcomes.some(({ result }) => result === 'failure') ? 'failure' : 'success'
  return { conclusion, jobs: done, log: outcomes.map(({ log }) => log).join('') }
}

const SKIPPED: JobOutcome = { result: 'skipped', outputs: {}, summary: '', log: '', artifacts: '' }

const contextsOf = ({ event, inputs, secrets, token, github }: RunnerOptions, needs: unknown): Contexts => ({
  github: { ...github, event_name: event.name, event: event.payload ?? {}, token },
  inputs: inputs ?? {},
  secrets: secrets ?? {},
  vars: {},
  needs,
})

async function runJob(id: string, job: Job, before: Contexts, options: RunnerOptions): Promise<JobOutcome> {
  const machine = mkdtempSync(join(tmpdir(), `mlops-runner-${id}-`))
  const at = (name: string): string => join(machine, name)
  for (const name of ['work', 'temp', 'home', 'commands']) mkdirSync(at(name))
  const steps: Record<string, { outputs: Record<string, string>; outcome: string }> = {}
  const exported: Record<string, string> = {}
  const masked = new Set([options.token, ...Object.values(options.secrets ?? {})].filter((each) => each !== ''))
  let standing: Standing = 'success'
  let [log, summary] = ['', '']
  const say = (text: string): void => {
    for (const [, secret = ''] of text.matchAll(/^::add-mask::(.+)$/gm)) masked.add(secret)
    log += [...masked].reduce((line, secret) => line.replaceAll(secret, '***'), text)
  }
  for (const [index, step] of (job.steps ?? []).entries()) {
    const contexts = { ...before, steps, runner: { temp: at('temp') }, env: exported }
    if (!holds(step.if, contexts, standing)) continue
    const fill = (values: Readonly<Record<string, unknown>> | undefined): Record<string, string> =>
      Object.fromEntries(
        Object.entries(values ?? {}).map(([name, value]) => [name, filled(String(value), contexts, standing)]),
      )
    const commands = Object.fromEntries(
      ['GITHUB_OUTPUT', 'GITHUB_ENV', 'GITHUB_STEP_SUMMARY', 'GITHUB_PATH'].map((name) => [
        name,
        at(`commands/${index}-${name}`),
      ]),
    )
    for (const file of Object.values(commands)) writeFileSync(file, '')
    say(`## ${id}: ${step.name ?? step.uses ?? 'run'}\n`)
    let isWell = true
    try {
      if (step.uses !== undefined) {
        const action = ACTIONS[step.uses.split('@')[0] ?? '']
        if (action === undefined) throw new Error(`Unable to resolve action ${step.uses}`)
        const { repository, ref } = options
        action({ inputs: fill(step.with), workspace: at('work'), repository, ref, artifacts: at('artifacts') })
      } else {
        const env = {
          ...options.env,
          ...standardEnv(options, id, at),
          ...exported,
          ...commands,
          ...fill(job.env),
          ...fill(step.env),
        }
        const code = await bash(filled(step.run ?? '', contexts, standing), at('work'), env, say)
        if (code !== 0) throw new Error(`Process completed with exit code ${code}.`)
      }
    } catch (error) {
      say(`::error::${error instanceof Error ? error.message : String(error)}\n`)
      isWell = false
      standing = 'failure'
    }
    const outputs = readCommands(commands.GITHUB_OUTPUT ?? '')
    Object.assign(exported, readCommands(commands.GITHUB_ENV ?? ''))
    summary += readFileSync(commands.GITHUB_STEP_SUMMARY ?? '', 'utf8')
    steps[step.id ?? `#${index}`] = { outputs, outcome: isWell ? 'success' : 'failure' }
  }
  const outputs = Object.fromEntries(
    Object.entries(job.outputs ?? {}).map(([name, value]) => [name, filled(value, { ...before, steps }, standing)]),
  )
  FOLDERS.push(machine)
  return { result: standing, outputs, summary, log, artifacts: at('artifacts') }
}

const standardEnv = ({ github, event }: RunnerOptions, job: string, at: (name: string) => string) => ({
  CI: 'true',
  GITHUB_ACTIONS: 'true',
  GITHUB_JOB: job,
  GITHUB_EVENT_NAME: event.name,
  GITHUB_ACTOR: String(github.actor ?? ''),
  GITHUB_REPOSITORY: String(github.repository ?? ''),
  GITHUB_RUN_ID: String(github.run_id ?? '1'),
  GITHUB_SERVER_URL: String(github.server_url ?? 'https://github.example'),
  GITHUB_WORKSPACE: at('work'),
  RUNNER_TEMP: at('temp'),
  HOME: at('home'),
  LANG: 'C.UTF-8',
})

/** `shell: bash` is `bash --noprofile --norc -eo pipefail {0}`. */
function bash(script: string, cwd: string, env: Record<string, string>, say: (text: string) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], { cwd, env })
    child.stdout.on('data', (piece: Buffer) => say(piece.toString('utf8')))
    child.stderr.on('data', (piece: Buffer) => say(piece.toString('utf8')))
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 128))
  })
}

/** `name=value`, and `name<<END` … `END`. */
function readCommands(file: string): Record<string, string> {
  const found: Record<string, string> = {}
  if (!existsSync(file)) return found
  const lines = readFileSync(file, 'utf8').split('\n')
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    const [, name = '', end] = /^([^=<]+)<<(.+)$/.exec(line) ?? []
    if (end !== undefined) {
      const until = lines.indexOf(end)
      found[name] = lines.splice(0, until).join('\n')
      lines.shift()
    } else if (line.includes('=')) found[line.slice(0, line.indexOf('='))] = line.slice(line.indexOf('=') + 1)
  }
  return found
}

const FOLDERS: string[] = []
process.on('exit', () => {
  for (const folder of FOLDERS) rmSync(folder, { recursive: true, force: true })
})
