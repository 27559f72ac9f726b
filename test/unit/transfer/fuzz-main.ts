/** `npm run fuzz:import -- [--tries N] [--seed N]`: many archives changed at random; exits 1 on the first that is not refused plainly. */
import { parseArgs } from 'node:util'
import { fuzz } from './fuzz.ts'

const { values } = parseArgs({
  options: { tries: { type: 'string', default: '20000' }, seed: { type: 'string', default: '1' } },
})
const [tries, first] = [Number(values.tries), Number(values.seed)]
const STEP = 500
const sum = { tried: 0, refused: 0, accepted: 0 }
for (let done = 0; done < tries; done += STEP) {
  const { tried, refused, accepted } = await fuzz(Math.min(STEP, tries - done), first + done)
  sum.tried += tried
  sum.refused += refused
  sum.accepted += accepted
  console.log(`${sum.tried} archives: ${sum.refused} refused, ${sum.accepted} sound and used`)
}
