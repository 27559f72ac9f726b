/**
 * The scripts that shells source. Each only asks `mlops complete` for the candidates of the line up to the cursor, one
 * `value<TAB>description` per line, and falls back to file names when there is none.
 */

export type Shell = 'bash' | 'zsh' | 'fish'
export const SHELLS: readonly Shell[] = ['bash', 'zsh', 'fish']

/** @param program the command that the shell calls: `mlops` */
export function completionScript(shell: Shell, program: string): string {
  return SCRIPTS[shell].replaceAll('PROGRAM', program)
}

/** How to switch it on for good, as a comment at the top of each script. */
const SCRIPTS: Readonly<Record<Shell, string>> = {
  // Bash breaks words at "@", so the words are taken from the line itself. Readline then replaces only what begins with
  // the "@" (one of its special prefixes), unless the user took "@" out of COMP_WORDBREAKS; and what follows a ":".
  bash: `# bash completion of mlops. To switch it on: echo 'source <(PROGRAM completion bash)' >> ~/.bashrc
_mlops() {
  local line="\${COMP_LINE:0:COMP_POINT}" words current lead candidate
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  current="\${words[-1]}"
  lead=''
  [[ $current == *@* && $COMP_WORDBREAKS == *@* ]] && lead="\${current%@*}"
  [[ $current == *:* && $COMP_WORDBREAKS == *:* ]] && lead="\${current%:*}:"
  COMPREPLY=()
  while IFS=$'\\t' read -r candidate _; do
    COMPREPLY+=("\${candidate#"$lead"}")
  done < <(PROGRAM complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -o default -F _mlops mlops`,
  zsh: `#compdef mlops
# zsh completion of mlops. To switch it on: echo 'source <(PROGRAM completion zsh)' >> ~/.zshrc (after compinit)
_mlops() {
  local -a lines candidates
  local line
  lines=("\${(@f)$(PROGRAM complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  for line in $lines; do
    [[ -n $line ]] && candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}\${\${(M)line:#*$'\\t'*}:+:\${line#*$'\\t'}}")
  done
  if (( $#candidates )); then
    _describe mlops candidates
  else
    _files
  fi
}
compdef _mlops mlops`,
  fish: `# fish completion of mlops. To switch it on: PROGRAM completion fish > ~/.config/fish/completions/mlops.fish
function __mlops_complete
    set -l words (commandline -opc)
    set -l found (PROGRAM complete -- $words[2..-1] (commandline -ct) 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c mlops -f -a '(__mlops_complete)'`,
}
