/** An interactive zsh that a test types into, by zsh's own pseudo-terminals. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Shows the line as completion left it, and clears it. Waits for that, however long the machine takes. */
const DRIVER = `
zmodload zsh/zpty
zpty typed zsh -f -i
zpty -w typed 'PS1=; source ./session.zsh; shown() { print -r -- "<$BUFFER>"; BUFFER= }; zle -N shown'
zpty -w typed 'bindkey "^X^X" shown; print ready-$((6*7))'
zpty -r typed seen '*ready-42*' || exit 1
for line in "$@"; do
  zpty -n -w typed "$line"$'\\t\\x18\\x18'
  zpty -r typed seen '*<[^>]#>*' || exit 1
  print -r -- "$seen"
done
zpty -d typed
`;

/** What became of each line when its end was completed with a tab. `start` is what the shell's start file would hold. */
export function zshCompletes(folder: string, start: string, lines: readonly string[]): readonly string[] {
  writeFileSync(join(folder, 'session.zsh'), start);
  writeFileSync(join(folder, 'driver.zsh'), `setopt extendedglob\n${DRIVER}`);
  const { stdout, stderr, status } = spawnSync('zsh', ['-f', 'driver.zsh', ...lines], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 120_000,
    env: { PATH: process.env['PATH'], HOME: folder, TERM: 'dumb', LANG: 'C.UTF-8' },
  });
  if (status !== 0) throw new Error(`zsh ended with ${status}: ${stderr}${stdout}`);
  return [...stdout.matchAll(/<([^>\n]*)>/g)].map(([, line = '']) => line);
}
