/** Cleaning up a store, and letting its time go by. */
import { existsSync, readdirSync, renameSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { collectGarbage, type GcReport } from '../../../../src/store/gc.ts'
import type { Store } from '../../../../src/store/store.ts'

export const DAY = 86_400e3
const GRACE = 14 * DAY

export const gc = (store: Store, remove = true, grace = GRACE): Promise<GcReport> =>
  collectGarbage({ env: process.env, now: () => new Date() }, store.root, { remove, grace })

/** As if so many days had passed since every object, and everything in the trash, was needed last. */
export function age(store: Store, days: number): void {
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) walk(path)
      else utimesSync(path, new Date(Date.now() - days * DAY), new Date(Date.now() - days * DAY))
    }
  }
  walk(join(store.root, 'objects'))
  const trash = join(store.root, 'trash/objects')
  if (!existsSync(trash)) return
  for (const name of readdirSync(trash)) {
    const then = new Date(Date.now() - days * DAY)
    const older = ulidAt(then.getTime()) + name.slice(10)
    renameSync(join(trash, name), join(trash, older))
    utimesSync(join(trash, older), then, then)
  }
}

function ulidAt(time: number): string {
  let text = ''
  for (let rest = time, i = 0; i < 10; i++, rest = Math.floor(rest / 32))
    text = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'.charAt(rest % 32) + text
  return text
}
