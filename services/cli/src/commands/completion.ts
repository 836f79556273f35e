import { Argument, type Command } from 'commander';
import { examples } from '../action.ts';

/** A place in the tree of commands, and what can stand there. */
interface Place {
  /** "admin users", empty for the program itself. */
  path: string;
  words: string[];
  flags: string[];
}

function placesOf(command: Command, path: readonly string[] = []): Place[] {
  const below = command.commands.filter((one) => one.name() !== 'help');
  const flags = [...command.options, ...(command.parent === null ? [] : globalOptions(command))];
  return [
    {
      path: path.join(' '),
      words: below.map((one) => one.name()),
      flags: [...new Set([...flags.map(({ long }) => long ?? ''), '--help'])].filter((flag) => flag !== ''),
    },
    ...below.flatMap((one) => placesOf(one, [...path, one.name()])),
  ];
}

function globalOptions(command: Command): Command['options'] {
  let top = command;
  while (top.parent !== null) top = top.parent;
  return top.options;
}

const bashCase = ({ path, words, flags }: Place): string =>
  `    ${JSON.stringify(path)}) choices="${[...words, ...flags].join(' ')}" ;;`;

const pathsOf = (places: readonly Place[]): string[] => places.map(({ path }) => path).filter((path) => path !== '');

/**
 * Walks the words that have been typed as far as they name commands. zsh reads it too: there `path` and `words` are its
 * own, arrays begin at 1, and an offset must be a number.
 */
function bash(places: readonly Place[]): string {
  return `_taskflow() {
  [ -z "\${ZSH_VERSION:-}" ] || setopt localoptions ksharrays shwordsplit
  local current="\${COMP_WORDS[COMP_CWORD]}" place='' choices='' next word
  for word in "\${COMP_WORDS[@]:1:$((COMP_CWORD - 1))}"; do
    next="\${place:+$place }$word"
    case "|${pathsOf(places).join('|')}|" in *"|$next|"*) place="$next" ;; esac
  done
  case "$place" in
${places.map(bashCase).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$choices" -- "$current"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _taskflow taskflow`;
}

/** zsh runs completions of bash. */
const zsh = (places: readonly Place[]): string => `autoload -U +X bashcompinit && bashcompinit\n${bash(places)}`;

/** The same walk. Functions of fish that look for a word would find it at any place. */
const fishWalk = (places: readonly Place[]): string => `function __taskflow_is_at
  set -l place
  set -l typed (commandline -opc)
  for word in $typed[2..-1]
    set -l next (string join ' ' $place $word)
    contains -- "$next" ${pathsOf(places)
      .map((path) => `'${path}'`)
      .join(' ')}; and set place $next
  end
  test "$place" = "$argv[1]"
end`;

function fish(places: readonly Place[]): string {
  const lines = places.flatMap(({ path, words, flags }) => {
    const condition = `-n "__taskflow_is_at '${path}'"`;
    return [
      ...(words.length === 0 ? [] : [`complete -c taskflow ${condition} -f -a '${words.join(' ')}'`]),
      ...flags.map((flag) => `complete -c taskflow ${condition} -l '${flag.slice(2)}'`),
    ];
  });
  return [fishWalk(places), ...lines].join('\n');
}

const shells: Readonly<Record<string, (places: readonly Place[]) => string>> = { bash, zsh, fish };

export function registerCompletion(program: Command): void {
  const command = program
    .command('completion')
    .summary('complete commands in your shell')
    .description('Prints what makes a shell complete commands and options. Source it where your shell starts.')
    .addArgument(new Argument('<shell>', 'which one').choices(Object.keys(shells)));
  examples(
    command,
    'taskflow completion bash > taskflow.bash && . ./taskflow.bash',
    'taskflow completion zsh > taskflow.zsh',
    'taskflow completion fish > taskflow.fish',
  );
  command.action((shell: string) => {
    process.stdout.write(`${shells[shell]?.(placesOf(program)) ?? ''}\n`);
  });
}
