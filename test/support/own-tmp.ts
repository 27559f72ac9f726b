/**
 * Loaded by mocha in every process that runs tests: a temporary folder of its own, so that tests which look at what a
 * command leaves in there do not see what tests beside them do. The first process, from which the others inherit its
 * environment, makes a folder for all and takes it away; the others are killed at the end and could not.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const shared = process.env.MLOPS_TESTS_TMP
const own = mkdtempSync(join(shared ?? tmpdir(), 't-'))
// Some tests run a database, or a script, as another user, who must get in.
chmodSync(own, 0o755)
process.env.TMPDIR = own
if (shared === undefined) {
  process.env.MLOPS_TESTS_TMP = own
  process.on('exit', () => rmSync(own, { recursive: true, force: true }))
}
