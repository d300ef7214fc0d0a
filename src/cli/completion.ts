/** `floe-secrets completion SHELL`: what can be typed, as a script for a shell. */
import type { ProgramShape } from './command.ts';
import type { Options } from './options.ts';
import { textOption } from './options.ts';
import type { Terminal } from './terminal.ts';
import { EXIT } from './terminal.ts';

export async function run(options: Options, { stdout }: Terminal, shape: ProgramShape): Promise<number> {
  const shell = textOption(options, 'shell');
  stdout.write(shell === 'fish' ? fishScript(shape) : shell === 'zsh' ? zshScript(shape) : bashScript(shape));
  return EXIT.ok;
}

/** A command with the words that lead to it, as 'migrate eso'; '' is the program itself. */
interface Place {
  readonly path: string;
  readonly shape: ProgramShape;
}

function placesOf(shape: ProgramShape, path = ''): readonly Place[] {
  return [
    { path, shape },
    ...shape.commands.flatMap((one) => placesOf(one, path === '' ? one.name : `${path} ${one.name}`)),
  ];
}

/** bash, without the bash-completion package. File names complete where an option or an argument may be one. */
function bashScript(shape: ProgramShape): string {
  const places = placesOf(shape);
  const values = places.flatMap((place) => place.shape.options).filter(({ takesValue }) => takesValue);
  const flags = [...new Set(values.flatMap((option) => option.flags))];
  return `# bash completion for floe-secrets
_floe_secrets() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path='' word index skip=''
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    if [[ -n $skip ]]; then skip=''; continue; fi
    case "$word" in
      ${flags.join('|')}) skip=1 ;;
      -*) ;;
      *) case "\${path:+$path }$word" in
        ${places
          .slice(1)
          .map(({ path }) => `'${path}'`)
          .join('|')}) path="\${path:+$path }$word" ;;
      esac ;;
    esac
  done
  local words=''
  case "$previous" in
${choiceCases(places)}
    *) case "$path" in
${places.map(bashCase).join('\n')}
    esac
    words+=' ${wordsOf({ ...shape, commands: [] }).join(' ')}' ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _floe_secrets floe-secrets
`;
}

function choiceCases(places: readonly Place[]): string {
  const options = places.flatMap(({ shape }) => shape.options);
  const chosen = new Map(
    options.filter(({ choices }) => choices.length > 0).map((option) => [option.flags.join('|'), option]),
  );
  const free = options.filter(({ takesValue, choices }) => takesValue && choices.length === 0);
  return [
    ...[...chosen].map(([flags, { choices }]) => `    ${flags}) words='${choices.join(' ')}' ;;`),
    `    ${[...new Set(free.flatMap(({ flags }) => flags))].join('|')}) return ;;`,
  ].join('\n');
}

function bashCase({ path, shape }: Place): string {
  return `      '${path}') words='${wordsOf(shape).join(' ')}' ;;`;
}

function wordsOf({ commands, options, choices }: ProgramShape): readonly string[] {
  return [...commands.map(({ name }) => name), ...choices, ...options.flatMap(({ flags }) => flags)];
}

/**
 * zsh understands bash's functions. The script works where it is sourced and as the file `_floe-secrets` of a folder of
 * `fpath`: there the file is the function that the first completion calls, and has to answer that one too.
 */
function zshScript(shape: ProgramShape): string {
  return `#compdef floe-secrets
(( $+functions[compdef] )) || { autoload -U +X compinit && compinit; }
autoload -U +X bashcompinit && bashcompinit
${bashScript(shape)}if [[ "\${funcstack[1]}" == _floe-secrets ]]; then
  _bash_complete -o default -F _floe_secrets
fi
`;
}

function fishScript(shape: ProgramShape): string {
  const lines = placesOf(shape).flatMap(({ path, shape: { commands, options, choices } }) => {
    const words = path.split(' ').filter((word) => word !== '');
    const below = commands.map(({ name }) => name).join(' ');
    const here = words.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
    const condition = (words.length === 0 ? [] : [here]).concat(
      below === '' ? [] : [`not __fish_seen_subcommand_from ${below}`],
    );
    const start = (only: readonly string[]): string =>
      `complete -c floe-secrets${only.length === 0 ? '' : ` -n ${quoted(only.join('; and '))}`}`;
    return [
      ...commands.map(({ name, about }) => `${start(condition)} -f -a ${name} -d ${quoted(about)}`),
      ...(choices.length === 0 ? [] : [`${start(condition)} -f -a ${quoted(choices.join(' '))}`]),
      ...options.map((option) => `${start(words.length === 0 ? [] : [here])} ${fishOption(option)}`),
    ];
  });
  return ['# fish completion for floe-secrets', ...lines, ''].join('\n');
}

function fishOption({ flags, about, takesValue, choices }: ProgramShape['options'][number]): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const value = choices.length > 0 ? [`-x -a ${quoted(choices.join(' '))}`] : takesValue ? ['-r'] : [];
  return [...names, ...value, `-d ${quoted(about)}`].join(' ');
}

/** For a fish script: within single quotes only these two mean something. */
function quoted(words: string): string {
  return `'${words.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
