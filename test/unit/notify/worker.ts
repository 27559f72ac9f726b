/** A process of its own that sends one alert when told to: for two at once. Arguments: store, time, window, URL. */
import { sendDue } from '../../../src/notify/send.ts'
import { openStore } from '../../../src/store/open.ts'
import { alert, context, seen } from './support.ts'

const [root = '', time = '', since = '', until = '', url = ''] = process.argv.slice(2)
const ctx = context({ MLOPS_WEBHOOK_SECRET: 'worker-secret' }, { now: time })
const store = await openStore(root, { write: true, now: ctx.now })
process.stdin.once('data', async () => {
  const request = {
    alert: alert(),
    check: seen(since, until, true),
    channels: [`webhook:${url}`],
    rules: { k: 1, n: 1, coolDown: 0 },
    history: [],
  }
  const { decision, reason } = await sendDue(ctx, { root }, store, request)
  process.stdout.write(`${JSON.stringify({ decision, reason })}\n`)
  process.exit(0)
})
process.stdout.write('ready\n')
