/**
 * The kinds of scaffold and how one is added. A generator is one folder, `src/scaffold/<kind>/generator.ts`, that
 * exports `generator: Generator`; its texts are in `templates/<kind>/`. Enter it below, write `src/commands/scaffold/<kind>.ts`
 * (copy fastapi.ts: flags to `options`, then `scaffold(…)`), and the engine does the rest: remembering, merging, --dry-run,
 * --diff, --check, conflicts, status. A generator writes nothing; what it may read is the world.
 *
 *   export const generator: Generator = {
 *     kind: 'docker',
 *     folder: 'service',
 *     async generate(world, request) {
 *       const image = textOption(request, 'base-image') ?? 'python:3.11-slim'
 *       const files = await renderTemplates('docker', { values: { image }, yours: ['compose.override.yml'] })
 *       return { kind: 'docker', answers: { 'base-image': image }, files, next: ['docker build service'], warnings: [] }
 *     },
 *   }
 *
 * `request.options` are the flags a person gave now; where one is not given, `request.previous` has what was answered
 * before: `textOption` looks at both. All that a later run needs goes into `answers` (plain JSON, no secrets, no times).
 * In templates: `<%= it.image %>` is a whole literal in the language of the target file, and never stands inside quotes;
 * `<%~ it.comment(x) %>` and the other helpers of render.ts for what is no literal; `-%>` swallows the line break behind it.
 */
import type { Context } from '../core/context.ts'
import { usage } from '../core/errors.ts'
import type { Project } from '../project/config.ts'
import type { Store } from '../store/store.ts'
import type { Answers, Scaffold, ScaffoldKind } from './types.ts'

/** What a generator may look at. */
export interface World {
  readonly ctx: Context
  readonly project: Project
  /** Opened when it is asked for: a scaffold that needs no version works without a store. */
  readonly openStore: () => Promise<Store>
}

export type Option = string | number | boolean | readonly string[]

export interface GenerateRequest {
  /** What a person asked for now, by the name of the flag; what is not given is not in it. */
  readonly options: Readonly<Record<string, Option>>
  /** What was answered when this folder was scaffolded last; undefined the first time. */
  readonly previous: Answers | undefined
  /** Absolute path of the folder the files go into. */
  readonly folder: string
  /** Base contents of what was generated last: for parts that are dear to make and did not change. */
  readonly base: ReadonlyMap<string, string>
}

export interface Generator {
  readonly kind: ScaffoldKind
  /** Where it goes without --dir, relative to the project's root. */
  readonly folder: string
  /** It belongs into the folder of another kind: without --dir it goes where that was put. */
  readonly beside?: ScaffoldKind
  /** @throws usage, notFound … when what it needs is not there: each names what to type */
  generate(world: World, request: GenerateRequest): Promise<Scaffold>
}

/** Loaded when they are used: `scaffold cron` does not load what reads model files. */
const GENERATORS: Readonly<Partial<Record<ScaffoldKind, () => Promise<Generator>>>> = {
  fastapi: async () => (await import('./fastapi/generator.ts')).generator,
  docker: async () => (await import('./docker/generator.ts')).generator,
  'github-actions': async () => (await import('./github-actions/generator.ts')).generator,
  cron: async () => (await import('./cron/generator.ts')).generator,
  airflow: async () => (await import('./airflow/generator.ts')).generator,
  prefect: async () => (await import('./prefect/generator.ts')).generator,
}

/** @throws usage `SCAFFOLD_UNKNOWN`: a folder was scaffolded by a newer program */
export async function generatorOf(kind: ScaffoldKind): Promise<Generator> {
  const load = GENERATORS[kind]
  if (load !== undefined) return await load()
  throw usage({
    code: 'SCAFFOLD_UNKNOWN',
    message: `This mlops generates no ${kind}; it generates ${Object.keys(GENERATORS).join(', ')}.`,
    hint: 'Install a newer mlops',
  })
}

/** Text that was given now, else answered before. */
export function textOption({ options, previous }: GenerateRequest, name: string): string | undefined {
  const value = options[name] ?? previous?.[name]
  return typeof value === 'string' ? value : undefined
}

/** A truth value that was given now, else answered before; false without. */
export const flagOption = ({ options, previous }: GenerateRequest, name: string): boolean =>
  (options[name] ?? previous?.[name]) === true

/** Several texts that were given now, else answered before. */
export function listOption({ options, previous }: GenerateRequest, name: string): readonly string[] {
  const value = options[name] ?? previous?.[name]
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : []
}
