/** Shells that can be completed in. */
export const shells = ['bash', 'zsh', 'fish'] as const;

/** Name of a shell. */
export type Shell = (typeof shells)[number];

/*
 * Each asks "edgeflex completion suggest" whenever a key is pressed: a line that says whether files or folders are meant, too, and
 * then a word a line, with a tab before its description.
 */

const bash = `# edgeflex completion bash >> ~/.bashrc
_edgeflex() {
  local line paths='' word="\${COMP_WORDS[COMP_CWORD]#=}"
  COMPREPLY=()
  while IFS= read -r line; do
    if [ -z "$paths" ]; then paths="$line"; else COMPREPLY+=("\${line%%$'\\t'*}"); fi
  done < <("\${COMP_WORDS[0]}" completion suggest bash "$COMP_CWORD" -- "\${COMP_WORDS[@]}" 2>/dev/null)
  case "$paths" in
    files) while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$word") ;;
    folders) while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -d -- "$word") ;;
    *) return ;;
  esac
  compopt -o filenames 2>/dev/null
}
complete -F _edgeflex edgeflex
`;

const zsh = `#compdef edgeflex
# edgeflex completion zsh > "\${fpath[1]}/_edgeflex", or in ~/.zshrc behind compinit: source <(edgeflex completion zsh)
_edgeflex() {
  local -a answer values shown
  local line
  answer=("\${(@f)$("$words[1]" completion suggest zsh $((CURRENT - 1)) -- "\${(@)words}" 2>/dev/null)}")
  for line in "\${(@)answer[2,-1]}"; do
    values+=("\${line%%$'\\t'*}")
    shown+=("\${line/$'\\t'/  -- }")
  done
  (( $#values )) && compadd -l -d shown -a values
  case "$answer[1]" in
    files) compset -P '*='; _files ;;
    folders) compset -P '*='; _files -/ ;;
  esac
}
if [[ "$funcstack[1]" == _edgeflex ]]; then _edgeflex "$@"; else compdef _edgeflex edgeflex; fi
`;

const fish = `# edgeflex completion fish > ~/.config/fish/completions/edgeflex.fish
function __edgeflex_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l answer ($words[1] completion suggest fish (count $words) -- $words "$current" 2>/dev/null)
  printf '%s\\n' $answer[2..-1]
  switch "$answer[1]"
    case files
      __fish_complete_path (string replace -r '^--[^=]*=' '' -- "$current")
    case folders
      __fish_complete_directories (string replace -r '^--[^=]*=' '' -- "$current")
  end
end
complete -c edgeflex -f -a '(__edgeflex_complete)'
`;

/** What makes each shell complete. */
export const scripts: Readonly<Record<Shell, string>> = { bash, zsh, fish };
