/** Compares what a door answered with what a story expects. Says everything that differs, in sentences. */
import type { Expected, ExpectedFinding } from './story.ts';

export type Json = Readonly<Record<string, unknown>>;

export interface AnswerFinding {
  readonly code: string;
  readonly severity?: string;
  readonly secret?: string;
  readonly key?: string;
  readonly container?: string;
  readonly field?: string;
  readonly message?: string;
}

/** What any door answers; what a door does not tell is undefined. */
export interface Answer {
  readonly allowed: boolean;
  readonly code?: number | undefined;
  readonly reason?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
  readonly message?: string | undefined;
  readonly warnings?: readonly string[] | undefined;
  readonly findings?: readonly AnswerFinding[] | undefined;
  readonly patch?: readonly Json[] | undefined;
  readonly injected?: readonly string[] | undefined;
  /** The pod after the patch. */
  readonly pod?: Json | undefined;
  readonly auditAnnotations?: Readonly<Record<string, string>> | undefined;
  /** The state of each Secret that was judged. */
  readonly states?: Readonly<Record<string, string>> | undefined;
}

const REASONS: Readonly<Record<number, string>> = {
  403: 'Forbidden',
  422: 'Invalid',
  429: 'TooManyRequests',
};

/** Everything in which the answer is not what was expected. */
export function differences(answer: Answer, expected: Expected): readonly string[] {
  return [
    ...verdictDifferences(answer, expected),
    ...findingDifferences(answer, expected),
    ...textDifferences(answer, expected),
    ...patchDifferences(answer, expected),
  ];
}

function verdictDifferences(answer: Answer, expected: Expected): readonly string[] {
  if (expected.code === undefined) {
    return answer.allowed ? [] : [`refused with ${answer.code}, expected to be allowed: ${answer.message}`];
  }
  if (answer.allowed) return [`allowed, expected ${expected.code}`];
  // The command line tells no status codes.
  if (answer.code === undefined) return [];
  return [
    ...unequal('code', answer.code, expected.code),
    ...unequal('reason', answer.reason, REASONS[expected.code]),
    ...unequal('retryAfterSeconds', answer.retryAfterSeconds, expected.code === 429 ? 1 : undefined),
  ];
}

function findingDifferences(answer: Answer, expected: Expected): readonly string[] {
  if (expected.findings === undefined) return [];
  return answer.findings === undefined
    ? codeDifferences(answer, expected, expected.findings)
    : exactDifferences(answer.findings, expected, expected.findings);
}

function exactDifferences(
  findings: readonly AnswerFinding[],
  expected: Expected,
  wanted: readonly ExpectedFinding[],
): readonly string[] {
  const left = [...findings];
  const missing = wanted.filter((finding) => {
    const index = left.findIndex((found) => matches(found, finding));
    if (index !== -1) left.splice(index, 1);
    return index === -1;
  });
  const unexpected = left.filter((found) => !expected.maybe.includes(shortCode(found.code)));
  return [
    ...missing.map((finding) => `no finding ${JSON.stringify(finding)}`),
    ...unexpected.map((found) => `unexpected finding: ${found.message ?? found.code}`),
  ];
}

/** A door that tells no findings shows their codes, in the message, the warnings or the audit annotations. */
function codeDifferences(
  answer: Answer,
  expected: Expected,
  wanted: readonly ExpectedFinding[],
): readonly string[] {
  const shown = new Set(allTexts(answer).flatMap((text) => text.match(/E8\d\d/g) ?? []));
  const cut = answer.message?.includes('more (kubectl') === true;
  const codes = wanted.map((finding) => finding.code);
  const missing = cut ? [] : codes.filter((code) => !shown.has(code));
  const unexpected = [...shown].filter((code) => !codes.includes(code) && !expected.maybe.includes(code));
  return [
    ...missing.map((code) => `${code} is nowhere in the answer`),
    ...unexpected.map((code) => `unexpected ${code} in the answer: ${allTexts(answer).join(' | ')}`),
  ];
}

function matches(found: AnswerFinding, wanted: ExpectedFinding): boolean {
  const { code, ...fields } = wanted;
  if (shortCode(found.code) !== code) return false;
  return Object.entries(fields).every(([key, value]) =>
    key === 'field'
      ? (found.field ?? '').includes(String(value))
      : found[key as keyof AnswerFinding] === value,
  );
}

function shortCode(code: string): string {
  return code.replace(/^FLOE-/, '');
}

function textDifferences(answer: Answer, expected: Expected): readonly string[] {
  const warnings = answer.warnings;
  const all = allTexts(answer).join('\n');
  return [
    ...expected.message
      .filter((words) => !says(answer.message ?? '', words))
      .map((words) => `the message does not say ${words}: ${answer.message}`),
    ...(expected.warnings ?? [])
      .filter((words) => warnings !== undefined && !warnings.some((warning) => says(warning, words)))
      .map((words) => `no warning says ${words}: ${JSON.stringify(warnings)}`),
    ...(expected.warnings?.length === 0 && warnings !== undefined && warnings.length > 0
      ? [`unexpected warnings: ${JSON.stringify(warnings)}`]
      : []),
    ...expected.lacks.filter((words) => says(all, words)).map((words) => `the answer says ${words}: ${all}`),
    ...Object.entries(answer.auditAnnotations === undefined ? {} : expected.audit)
      .filter(([key, words]) => !says(answer.auditAnnotations?.[key] ?? '', words))
      .map(
        ([key, words]) => `audit annotation ${key} is ${answer.auditAnnotations?.[key]}, expected ${words}`,
      ),
  ];
}

function patchDifferences(answer: Answer, expected: Expected): readonly string[] {
  return [
    ...(expected.injected === undefined || answer.injected === undefined
      ? []
      : unequal('injected', answer.injected, expected.injected)),
    ...(expected.patch === undefined || answer.patch === undefined
      ? []
      : unequal('patch', answer.patch, expected.patch)),
    ...(expected.pod === undefined || answer.pod === undefined
      ? []
      : unlike(answer.pod, expandedPod(expected.pod), 'pod')),
  ];
}

/** Annotations and containers of an expected pod stand where a pod has them. */
function expandedPod(pod: Json): Json {
  const { annotations, ...spec } = pod;
  const own = Object.entries((annotations ?? {}) as Json).map(([key, value]) => [
    key.includes('/') ? key : `secrets.floe.dev/${key}`,
    value,
  ]);
  return {
    ...(annotations === undefined ? {} : { metadata: { annotations: Object.fromEntries(own) as Json } }),
    spec,
  };
}

/** Objects may have more than is expected, lists have exactly what is expected; null: it is not there. */
export function unlike(actual: unknown, expected: unknown, path: string): readonly string[] {
  if (expected === null) return actual === undefined ? [] : unequal(path, actual, undefined);
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return unequal(path, actual, expected);
    return expected.flatMap((item, index) => unlike(actual[index], item, `${path}[${index}]`));
  }
  if (typeof expected === 'object') {
    const own = (typeof actual === 'object' && actual !== null ? actual : {}) as Json;
    return Object.entries(expected).flatMap(([key, value]) => unlike(own[key], value, `${path}.${key}`));
  }
  if (typeof expected === 'string' && expected.startsWith('re:')) {
    return new RegExp(expected.slice(3)).test(String(actual)) ? [] : unequal(path, actual, expected);
  }
  return unequal(path, actual, expected);
}

/** Words that must be in the text, or /an expression/ that must match. */
function says(text: string, words: string): boolean {
  const expression = /^\/(.*)\/([imsu]*)$/s.exec(words);
  if (expression === null) return text.includes(words);
  return new RegExp(expression[1] ?? '', expression[2]).test(text);
}

function allTexts(answer: Answer): readonly string[] {
  return [answer.message ?? '', ...(answer.warnings ?? []), answer.auditAnnotations?.['findings'] ?? ''];
}

function unequal(what: string, actual: unknown, expected: unknown): readonly string[] {
  const [found, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  return found === wanted ? [] : [`${what} is ${found}, expected ${wanted}`];
}
