/** Tells a case at any door that answers the two calls one by one, and says everything that is wrong. */
import fastJsonPatch from 'fast-json-patch';
import type { Operation } from 'fast-json-patch';
import { asShort } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { brokenPromises, lostParts } from './invariants.ts';
import { differences } from './judge.ts';
import type { Answer } from './judge.ts';
import { render } from './rendering.ts';
import type { Stage } from './rendering.ts';
import type { Expected } from './story.ts';
import type { Case } from './telling.ts';

/** Sends one call and gives its answer. */
export type Call = (door: 'mutate' | 'validate', subject: Manifest) => Answer | Promise<Answer>;

/** Mutates, mutates again, validates, and compares; an empty list is a story that came true. */
export async function tell(one: Case, stage: Stage, call: Call): Promise<readonly string[]> {
  const expected = render({ mutate: one.mutate, validate: one.validate, verdict: one.verdict }, stage);
  const subject = render(one.subject, stage);
  if (one.mutateSkipped) {
    const answer = await call('validate', subject);
    return [...named('validate', answer, expected.validate), ...named('verdict', answer, expected.verdict)];
  }
  const first = await call('mutate', subject);
  const patched = patchedBy(subject, first);
  const mutate = named('mutate', { ...first, pod: patched }, expected.mutate);
  const door = expected.verdict?.door;
  if (!first.allowed) {
    return [
      ...mutate,
      ...named('verdict (mutate)', first, expected.verdict),
      ...(door === 'validate' ? ['mutate refuses, not validate'] : []),
      ...(expected.mutate === undefined && expected.verdict === undefined
        ? [`mutate refuses: ${first.message}`]
        : []),
    ];
  }
  const again = await call('mutate', patched);
  const last = await call('validate', patched);
  return [
    ...mutate,
    ...lostParts(subject, patched).map((part) => `the patch changed ${part}`),
    ...((again.patch ?? []).length === 0
      ? []
      : [`mutating again gives the patch ${JSON.stringify(again.patch)}`]),
    ...named('validate', last, expected.validate ?? (expected.verdict === undefined ? ALLOWED : undefined)),
    ...named('verdict (validate)', last, expected.verdict),
    ...(door === 'mutate' ? ['mutate allows'] : []),
  ];
}

const ALLOWED: Expected = { maybe: [], message: [], lacks: [], audit: {} };

function named(call: string, answer: Answer, expected: Expected | undefined): readonly string[] {
  return [...(expected === undefined ? [] : differences(answer, expected)), ...brokenPromises(answer)].map(
    (difference) => `${call}: ${difference}`,
  );
}

/** The object with the answer's patch applied, as the API server would. */
export function patchedBy(subject: Manifest, answer: Answer): Manifest {
  const patch = structuredClone(answer.patch ?? []) as unknown as Operation[];
  return asShort(fastJsonPatch.applyPatch(structuredClone(subject), patch, true, true, false).newDocument);
}
