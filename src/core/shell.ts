/** Words of the commands we print, so that they can be pasted into a shell. */

/** Quoted for a POSIX shell when it needs to be. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
