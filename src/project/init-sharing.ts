/** How `mlops init --remote` writes into an `mlops.yaml` that the store is shared: one line, every other byte as it was. */
import { usage } from '../core/errors.ts'
import type { Project } from './config.ts'
import { readConfig } from './config-read.ts'
import { CONFIG_NAME } from './find.ts'
import { storeLine } from './init-yaml.ts'
import { parseYaml } from './yaml.ts'

/** The branch of a git remote that a store is shared as. */
export interface SharingChoice {
  readonly remote: string
  readonly branch: string
}

/**
 * What is to be: as `--remote` and `--branch` say, else as `mlops.yaml` does.
 * @throws usage `STORE_SHARED_ALREADY` when they say two things
 */
export function chosenSharing(
  asked: { readonly remote?: string | undefined; readonly branch?: string | undefined },
  project: Project | undefined,
  defaultBranch: string,
): SharingChoice | undefined {
  const written = project?.config.sharing
  const remote = asked.remote ?? written?.remote
  if (remote === undefined) {
    if (asked.branch === undefined) return undefined
    throw usage({
      code: 'REMOTE_MISSING',
      message: 'A branch was named and no remote: which repository is the store to be shared by?',
      hint: `mlops init --remote origin --branch ${asked.branch}`,
    })
  }
  const wanted = { remote, branch: asked.branch ?? written?.branch ?? defaultBranch }
  if (written === undefined || (written.remote === wanted.remote && written.branch === wanted.branch)) return wanted
  throw usage({
    code: 'STORE_SHARED_ALREADY',
    message: `${CONFIG_NAME} says that the store is shared as ${written.branch} of ${written.remote}.`,
    hint: `To move it, change "store:" there, move .mlops away, and run mlops init again`,
    details: { ...written },
  })
}

/**
 * The text of an `mlops.yaml` with the sharing in it.
 * @throws usage `CONFIG_NOT_EDITABLE` with what to write, where that is not one plain line
 */
export function sharedConfig(text: string, path: string, sharing: SharingChoice): string {
  const line = `store: ${storeLine(path, sharing)}`
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  const plain = /^store:[ \t]+(?:"[^"\\\n]*"|[\w./~-]+)(?=[ \t]*(?:#[^\n]*)?\r?$)/m
  const changed = plain.test(text) ? text.replace(plain, () => line) : `${line}${eol}${text}`
  const parsed = parseYaml(Buffer.from(changed), CONFIG_NAME)
  if ('node' in parsed) {
    const { config, problems } = readConfig(parsed.node, CONFIG_NAME)
    const same = config.sharing?.remote === sharing.remote && config.sharing.branch === sharing.branch
    if (problems.length === 0 && same && config.store === path) return changed
  }
  throw usage({
    code: 'CONFIG_NOT_EDITABLE',
    message: `The line "store:" of ${CONFIG_NAME} is not one that can be changed without a person.`,
    hint: `Write it there and run mlops init again:  ${line}`,
  })
}
