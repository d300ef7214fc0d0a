/** Tells of a hand-over while it goes on: lines on stderr, one a step. Standard output is for the result. */
import { dig, text } from '../kube/json.ts';
import { nameOf } from '../kube/object.ts';
import type { HandOver, Step } from '../migrate/hand-over.ts';
import { isInPlace } from '../migrate/in-place.ts';
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
    step: (step) => {
      // One that somebody's write came between is taken again, and told once; clearing up is a part of sweeping.
      const isTold = steps.at(-1) === step || (step === 'clear' && steps.includes('sweep'));
      if (!isTold) good(step, wordsOf(step, plan, steps));
    },
    good,
    bad: (words) => line(paint('red', marks.bad), words),
    end: () => line(paint('green', marks.good), endOf(plan, steps)),
  };
}

function endOf(plan: HandOver, steps: readonly string[]): string {
  const [secret, resource] = [`Secret '${plan.secret}'`, partyTitle(plan.to)];
  if (isPush(plan)) return `${resource} pushes ${secret} now`;
  const isSame = plan.from !== undefined || steps.includes('rehearse');
  if (!isSame) return `${secret} is synced by ${resource} now`;
  if (!isInPlace(plan)) return `${secret} is what it was, and of ${resource} now`;
  const store = dig(plan.to, 'spec', 'secretStoreRef');
  const where = `${text(store, 'kind') ?? 'SecretStore'} '${text(store, 'name') ?? ''}'`;
  return `${secret} is what it was, and ${resource} reads ${where} now`;
}

function isPush({ to }: HandOver): boolean {
  return (text(to, 'kind') ?? '').endsWith('PushSecret');
}

/** Of what only pushes a Secret, and of what stays and reads elsewhere. */
function otherWordsOf(step: Step, plan: HandOver): string | undefined {
  const { from, to } = plan;
  if (isInPlace(plan))
    return step === 'adopt' ? `equal data: point ${partyTitle(to)} at the other store` : undefined;
  if (!isPush(plan)) return undefined;
  const words: Partial<Record<Step, string>> = {
    release: `let ${partyTitle(from)} leave what it has pushed`,
    retire: `delete ${partyTitle(from)}, and keep what it has pushed`,
  };
  return words[step];
}

/** `before`: the steps that were taken already. */
function wordsOf(step: Step, plan: HandOver, before: readonly string[]): string {
  const other = otherWordsOf(step, plan);
  if (other !== undefined) return other;
  const { from, to } = plan;
  const rehearsal = rehearsalName(nameOf(to));
  const words: Readonly<Record<Step, string>> = {
    clear: 'take what is left of a rehearsal away',
    record: `${plan.record === 'kept' ? 'record the way back in' : 'open the record again:'} ConfigMap ${recordName(plan)}`,
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
