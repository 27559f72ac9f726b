/**
 * The root log `log/`: which models were created. Written before a model's first event, so that a model whose folder
 * is lost as a whole is missed.
 */
import type { Actor } from '../core/context.ts'
import type { Digest } from '../core/digest.ts'
import type { Backend } from './backend.ts'
import { appendLink, type Head, nextLink, readChain } from './chain.ts'
import { ROOT_LOG } from './layout.ts'

export interface ModelCreated {
  readonly type: 'model'
  readonly model: string
  readonly actor: Actor
  readonly tool: string
  readonly time: string
}

/** Writes that `created.model` exists unless the log says so already. Durable when it resolves. */
export async function announceModel(backend: Backend, registry: Digest, created: ModelCreated): Promise<void> {
  for (;;) {
    const links = await readChain(backend, ROOT_LOG, { seq: 0, digest: registry })
    if (links.some(({ record }) => record.type === 'model' && record.model === created.model)) {
      return backend.settle(`${ROOT_LOG}/`)
    }
    const head: Head = links.at(-1) ?? { seq: 0, digest: registry }
    if (await appendLink(backend, ROOT_LOG, head, nextLink(head, { ...created }))) return
  }
}
