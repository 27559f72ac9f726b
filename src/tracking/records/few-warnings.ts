/** Warnings about damaged runs, as many as a person reads. What is wrong with one is said by whoever reads it. */
import type { Context } from '../../core/context.ts'

/** Damaged runs that are named one by one; of more only how many there are. */
const NAMED = 10

/** Each warning once, the first few: hundreds of damaged runs must not push the others out of sight. */
export function fewWarnings(ctx: Context): { readonly ctx: Context; readonly tell: () => void } {
  const said = new Set<string>()
  const warn = (message: string): void => {
    if (!said.has(message) && said.size < NAMED) ctx.warn(message)
    said.add(message)
  }
  const tell = (): void => {
    const more = said.size - NAMED
    if (more > 0) ctx.warn(`${more} more run${more === 1 ? ' is' : 's are'} damaged and not listed: mlops store verify`)
  }
  return { ctx: { ...ctx, warn }, tell }
}
