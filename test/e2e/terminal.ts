/** A real terminal for end-to-end tests: tmux, with keys sent and the screen read. */
import { spawnSync } from 'node:child_process'
import { skipBecause } from '../support/skip.ts'
import { buildOnce, cleanEnv } from './harness.ts'

export interface Terminal {
  /** Types text as it is, without Enter. */
  type(text: string): void
  /** Presses keys by tmux's names: `Enter`, `C-c`, `Tab`, `Down`. */
  press(...keys: readonly string[]): void
  /** What the screen shows now, without colours. */
  screen(): string
  /** The same with escape sequences. */
  screenWithColors(): string
  /** Waits until the screen matches; fails showing the screen. */
  waitFor(pattern: RegExp): Promise<string>
  close(): void
}

let count = 0

export function skipWithoutTmux(context: Mocha.Context): void {
  if (spawnSync('tmux', ['-V']).status !== 0) skipBecause(context, 'tmux is not installed')
}

/**
 * Starts `shell` in a terminal of 100 x 40.
 * @param shell the program and its arguments; bash without anybody's start-up files by default
 */
export function openTerminal(options: {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  readonly shell?: readonly string[]
}): Terminal {
  buildOnce()
  const socket = `mlops-test-${process.pid}-${count++}`
  // -f /dev/null: no settings of whoever runs the tests.
  const tmux = (...args: readonly string[]): string => {
    const { status, stdout, stderr } = spawnSync('tmux', ['-L', socket, '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      env: { ...cleanEnv({ PS1: '$ ', ...options.env }), TERM: 'xterm-256color' },
    })
    if (status !== 0) throw new Error(`tmux ${args[0]}: ${stderr}`)
    return stdout
  }
  const shell = options.shell ?? ['bash', '--norc', '--noprofile']
  tmux('-u', 'new-session', '-d', '-s', 't', '-x', '100', '-y', '40', '-c', options.cwd, ...shell)
  const screen = (): string => tmux('capture-pane', '-p', '-J', '-t', 't').trimEnd()
  return {
    type: (text) => void tmux('send-keys', '-t', 't', '-l', text),
    press: (...keys) => void tmux('send-keys', '-t', 't', ...keys),
    screen,
    screenWithColors: () => tmux('capture-pane', '-p', '-e', '-t', 't').trimEnd(),
    async waitFor(pattern) {
      // Not a limit on how fast it must be: only what turns a hang into a readable failure.
      for (let tries = 0; tries < 400; tries++) {
        const shown = screen()
        if (pattern.test(shown)) return shown
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      throw new Error(`the screen never showed ${pattern}:\n${screen()}`)
    },
    close() {
      spawnSync('tmux', ['-L', socket, 'kill-server'])
    },
  }
}
