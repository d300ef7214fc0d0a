/** Tells of a hand-over while it goes on: lines on stderr, one a step. Standard output is for the result. */
import { text } from '../kube/json.ts';
import { nameOf } from '../kube/object.ts';
import type { HandOver, Step } from '../migrate/hand-over.ts';
import { recordName, rehearsalName } from '../migrate/names.ts';
import { painter, printable, symbols } from './print.ts';
import type { Progress } from './progress.ts';
import type { Terminal } from './terminal.ts';

export interface Teller {
  readonly steps: string[];
  head(title: string): void;
  step(step: Step): void;
  good(step: string, words: string): void;
  bad(words: string): void;
  end(): void;
}

/** Lines on stderr, one a step; stdout is for the result. */
export function teller(
  plan: HandOver,
  { terminal, progress }: { readonly terminal: Terminal; readonly progress: Progress },
): Teller {
  const { stderr, env } = terminal;
  const paint = painter(stderr, env);
  const marks = symbols(env);
  const steps: string[] = [];
  const line = (mark: string, words: string): void => {
    progress.clear();
    stderr.write(`  ${mark} ${printable(words)}\n`);
  };
  const good = (step: string, words: string): void => {
    steps.push(step);
    line(paint('green', marks.good), words);
  };
  return {
    steps,
    head: (title) => {
      progress.clear();
      stderr.write(`${printable(title)}\n`);
    },
    // One that somebody's write came between is taken again, and told once.
    step: (step) => (steps.at(-1) === step ? undefined : good(step, wordsOf(step, plan, steps))),
    good,
    bad: (words) => line(paint('red', marks.bad), words),
    end: () => {
      const isSame = plan.from !== undefined || steps.includes('rehearse');
      const words = isSame ? 'is what it was, and of' : 'is synced by';
      line(paint('green', marks.good), `Secret '${plan.secret}' ${words} ${partyTitle(plan.to)} now`);
    },
  };
}

/** `before`: the steps that were taken already. */
function wordsOf(step: Step, plan: HandOver, before: readonly string[]): string {
  const { secret, from, to } = plan;
  const rehearsal = rehearsalName(nameOf(to));
  const words: Readonly<Record<Step, string>> = {
    clear: 'take a rehearsal of the other direction away',
    record: `record the way back in ConfigMap ${recordName(secret)}`,
    rehearse: `rehearse ${partyTitle(to)} on a Secret ${rehearsal}`,
    release: `let ${partyTitle(from)} own the Secret no more`,
    silence: `let ${partyTitle(from)} write it no more`,
    wake: `let ${partyTitle(to)} write the Secret again`,
    disown: `take the ownership of ${partyTitle(from)} off the Secret`,
    adopt: `${before.includes('rehearse') ? 'equal data: ' : ''}make ${partyTitle(to)}`,
    retire: `equal data again: delete ${partyTitle(from)}, and keep the Secret`,
    tidy: "take the old operator's marks off the Secret",
    settle: `give ${partyTitle(to)} its own wishes back`,
    sweep: 'take the rehearsal away',
    close: plan.record === 'kept' ? 'close the record' : 'take the record away',
  };
  return words[step];
}

function partyTitle(manifest: HandOver['from']): string {
  return manifest === undefined ? 'nobody' : `${text(manifest, 'kind') ?? ''} '${nameOf(manifest)}'`;
}
