/** `file:PATH`: each alert is one line of JSON at the end of a file, the same record that a webhook gets. */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { systemCode } from '../core/errors.ts'
import { type Channel, SendProblem } from './channel.ts'
import { alertMessage } from './webhook.ts'

/** Readable for the group, writable for the owner, nothing for others: findings may hold values of the data. */
const MODE = 0o640
const { O_APPEND, O_CREAT, O_NONBLOCK, O_RDWR } = constants

export const fileChannel = (target: string): Channel => ({
  secrets: [],
  destination: () => ({ kind: 'file', path: target }),
  async send(alert, { root }) {
    try {
      // Not blocking: a pipe that nobody reads must not hold the check up.
      const file = await open(resolve(root, target), O_RDWR | O_APPEND | O_CREAT | O_NONBLOCK, MODE)
      try {
        const stat = await file.stat()
        if (!stat.isFile()) throw new SendProblem('it is no regular file', 'never')
        const last = Buffer.alloc(1)
        if (stat.size > 0) await file.read(last, 0, 1, stat.size - 1)
        // Somebody was stopped in the middle of a line: ours begins on one of its own.
        const start = stat.size > 0 && last[0] !== 0x0a ? '\n' : ''
        await file.appendFile(`${start}${JSON.stringify(alertMessage(alert))}\n`)
        await file.sync()
      } finally {
        await file.close()
      }
      return undefined
    } catch (error) {
      if (error instanceof SendProblem) throw error
      const reasons: Readonly<Record<string, string>> = {
        ENOENT: 'its folder does not exist',
        EACCES: 'it may not be written',
        EISDIR: 'it is a folder',
        ENOSPC: 'the disk is full',
        EROFS: 'the disk is read-only',
      }
      throw new SendProblem(reasons[systemCode(error) ?? ''] ?? String((error as Error).message), 'never')
    }
  },
})
