/** What holds of every answer to every story, whatever the story is about. */
import { VALUE } from './manifest.ts';
import type { Answer, Json } from './judge.ts';

const ENCODED = Buffer.from(VALUE).toString('base64');
// A line feed may part findings.
const CONTROL = /(?!\n)\p{Cc}/u;
const MARKS = ['secrets.floe.dev/injected', 'secrets.floe.dev/versions'];

/** Everything in which an answer breaks a promise that the contract's sections 3, 4 and 6 make of all answers. */
export function brokenPromises(answer: Answer): readonly string[] {
  const whole = JSON.stringify(answer);
  const warnings = (answer.warnings ?? []).join('');
  return [
    ...unless(!whole.includes(VALUE) && !whole.includes(ENCODED), 'the answer shows a value of a Secret'),
    ...unless(answer.allowed || (answer.patch ?? []).length === 0, 'a refusal carries a patch'),
    ...unless((answer.message ?? '').length <= 1024, `the message has ${answer.message?.length} characters`),
    ...unless(
      answer.allowed || /^FLOE-E8\d\d: /.test(answer.message ?? ''),
      `a refusal says ${answer.message}`,
    ),
    ...unless(warnings.length <= 4096, `the warnings have ${warnings.length} characters`),
    ...unless(!CONTROL.test((answer.message ?? '') + warnings), 'control characters'),
    ...(answer.patch ?? [])
      .filter((operation) => operation['op'] !== 'add' && operation['op'] !== 'test')
      .map((operation) => `the patch has ${JSON.stringify(operation)}`),
    ...(answer.findings ?? []).flatMap((finding) => brokenSentence(finding.code, finding)),
  ];
}

function brokenSentence(
  code: string,
  finding: { readonly severity?: string; readonly message?: string },
): readonly string[] {
  const message = finding.message ?? '';
  return [
    ...unless(message.startsWith(`${code}: `), `a finding says ${message}`),
    ...unless(
      finding.severity !== 'error' || message.includes('Suggestion: '),
      `no suggestion in: ${message}`,
    ),
  ];
}

/**
 * Everything in which the patched object lost or changed something: only additions are allowed, after what was
 * there, but for the two annotations that this program owns.
 */
export function lostParts(before: unknown, after: unknown, path = ''): readonly string[] {
  if (Array.isArray(before)) {
    if (!Array.isArray(after)) return [`${path} is no list any more`];
    return before.flatMap((item, index) => lostParts(item, after[index], `${path}/${index}`));
  }
  if (typeof before === 'object' && before !== null) {
    return Object.entries(before).flatMap(([key, value]) =>
      MARKS.includes(key) ? [] : lostParts(value, (after as Json | undefined)?.[key], `${path}/${key}`),
    );
  }
  return before === after ? [] : [`${path} was ${JSON.stringify(before)} and is ${JSON.stringify(after)}`];
}

function unless(holds: boolean, sentence: string): readonly string[] {
  return holds ? [] : [sentence];
}
