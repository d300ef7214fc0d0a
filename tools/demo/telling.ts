import { setTimeout as sleep } from 'node:timers/promises';
import { titleOf } from './kinds.ts';
import type { Paper } from './paper.ts';
import type { Answer, Example, Stage } from './stage.ts';

/** A webhook that watches takes a moment to see a change; after so long it never will. */
const SEEN_WITHIN = 60_000;

type Check = (answer: Answer) => boolean;

/** What every step of the story is told with. */
export interface Teller {
  readonly stage: Stage;
  readonly paper: Paper;
  /** Says whether a step behaved as announced. */
  verify(behaved: boolean, what: string): void;
}

/** Applies an example as a person would, and shows what came of it. */
export async function applied(teller: Teller, given: Example): Promise<Answer> {
  teller.paper.command(`kubectl apply -f ${given.file}`);
  const answer = await teller.stage.apply(given);
  report(teller, given, answer);
  if (!answer.allowed) teller.verify(false, `${given.file} is accepted`);
  return answer;
}

/** The pod is refused with this code, and never made. */
export async function refused({ stage, paper, verify }: Teller, pod: Example, code: string): Promise<void> {
  await settled(stage, pod, (answer) => answer.refusal.includes(code));
  paper.command(`kubectl apply -f ${pod.file}`);
  const answer = await stage.create(pod);
  report({ paper }, pod, answer);
  verify(!answer.allowed && answer.refusal.includes(code), `refused with ${code}`);
}

/** Warnings, and then what became of it, as kubectl prints them. */
export function report({ paper }: Pick<Teller, 'paper'>, { raw }: Example, answer: Answer): void {
  for (const warning of answer.warnings) paper.warning(warning);
  if (answer.allowed) paper.output(`${titleOf(raw)} ${answer.verb}`);
  else paper.refusal(answer.refusal);
}

/** Asks by dry runs until the webhook has seen what was changed. */
export async function settled(stage: Stage, pod: Example, check: Check): Promise<boolean> {
  const deadline = Date.now() + SEEN_WITHIN;
  while (!check(await stage.create(pod, true))) {
    if (Date.now() > deadline) return false;
    await sleep(40);
  }
  return true;
}
