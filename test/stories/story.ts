/** The shape of a story in `test/cases/*.yaml`; test/cases/README.md explains it to people. */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

const code = z.string().regex(/^E8\d\d$/);
const anyObject = z.record(z.string(), z.unknown());

const findingShape = z.union([
  code.transform((name) => ({ code: name })),
  z.strictObject({
    code,
    severity: z.enum(['error', 'warning']).optional(),
    secret: z.string().optional(),
    key: z.string().optional(),
    container: z.string().optional(),
    field: z.string().optional(),
  }),
]);

const texts = z.union([z.string().transform((text) => [text]), z.array(z.string())]);

const answerShape = z.strictObject({
  /** The status code of a refusal; without it the answer is "allowed". */
  code: z.union([z.literal(403), z.literal(422), z.literal(429)]).optional(),
  /** Which call refuses, where the contract says so; only for a `verdict`. */
  door: z.enum(['mutate', 'validate']).optional(),
  /** Exactly these findings, in any order. */
  findings: z.array(findingShape).optional(),
  /** Codes that may be found besides: where the contract leaves it open. */
  maybe: z.array(code).default([]),
  /** Each is in the refusal's message: words, or /a regular expression/. */
  message: texts.default([]),
  /** Each is in one of the warnings. An empty list: there are none. */
  warnings: texts.optional(),
  /** None of these is anywhere in the answer. */
  lacks: texts.default([]),
  /** The pod after the patch: what is said here must be there, and lists have exactly these items. */
  pod: anyObject.optional(),
  /** Names of the injected Secrets, in order. */
  injected: z.array(z.string()).optional(),
  /** The patch, operation by operation; [] is none. */
  patch: z.array(anyObject).optional(),
  /** Each is in the audit annotation of this name. */
  audit: z.record(z.string(), z.string()).default({}),
});

const answer = z.union([z.literal('allowed').transform(() => answerShape.parse({})), answerShape]);

const storyShape = z.strictObject({
  story: z.string(),
  /** The row of the contract's table of states that the story is about. */
  row: z.int().min(1).max(15).optional(),
  /** Codes that the story is about; each must be among the findings that it expects. */
  codes: z.array(code).default([]),
  config: anyObject.default({}),
  now: z.string().default('2026-11-22T12:00:00Z'),
  /** Settings of the subject's namespace; `out`: not opted in. */
  namespace: z.union([z.literal('out'), anyObject]).default({}),
  given: z.array(anyObject).default([]),
  /** Reads that fail: only a test's world can be told so. */
  failing: z
    .array(
      z.strictObject({
        kind: z.string(),
        name: z.string().optional(),
        reason: z.enum(['unavailable', 'forbidden']),
      }),
    )
    .default([]),
  /** Nobody has looked up any Secret, and nobody needs to. */
  unread: z.boolean().default(false),
  /** A Secret of the pod: the story is told once with it injected, once with the pod's own `envFrom`. */
  uses: z.string().optional(),
  pod: anyObject.optional(),
  /** Anything else that is reviewed: a workload, a sync resource. */
  object: anyObject.optional(),
  /** The object before an UPDATE, merged over the new one. */
  was: anyObject.optional(),
  subResource: z.string().default(''),
  operation: z.enum(['CREATE', 'UPDATE']).optional(),
  /** `person` (default) or `controller`, or a user of its own with what it `may` do ("list secrets"). */
  user: z
    .union([
      z.enum(['person', 'controller']),
      z.strictObject({
        username: z.string(),
        groups: z.array(z.string()).default(['system:authenticated']),
        may: z.array(z.string()).default([]),
      }),
    ])
    .optional(),
  /** `Kind`, `Kind/name`, or an ownerReference. */
  owner: z.union([z.string(), anyObject]).optional(),
  dryRun: z.boolean().default(false),
  expect: z.strictObject({
    /** `skipped`: the mutating call never came, as with `failurePolicy: Ignore` while nobody answered. */
    mutate: z.union([z.literal('skipped'), answer]).optional(),
    validate: answer.optional(),
    /** What becomes of the object in the end, whichever of the two calls says it. */
    verdict: answer.optional(),
    /** The verdict once for a person's pod and once for a controller's. */
    bare: answer.optional(),
    controlled: answer.optional(),
  }),
  /** Doors at which this story cannot be told, with the reason. */
  doors: z.partialRecord(z.enum(['function', 'cli', 'https', 'live']), z.string()).default({}),
});

export type Story = z.output<typeof storyShape>;
export type Expected = z.output<typeof answerShape>;
export type ExpectedFinding = z.output<typeof findingShape>;

export interface ToldStory extends Story {
  readonly file: string;
}

const FOLDER = fileURLToPath(new URL('../cases/', import.meta.url));

/** Every story of every file, examples filled in. Throws with file and title where one is not well formed. */
export function loadStories(): readonly ToldStory[] {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.yaml'));
  return files.sort().flatMap((file) => storiesOf(file, readFileSync(FOLDER + file, 'utf8')));
}

function storiesOf(file: string, content: string): readonly ToldStory[] {
  const documents = parseAllDocuments(content, { merge: true });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) => {
    if (document.errors[0] !== undefined) throw new Error(`${file}: ${document.errors[0].message}`);
    const value: unknown = document.toJS();
    const stories: readonly unknown[] = Array.isArray(value) ? value : [value];
    return stories.filter((raw) => raw !== null).flatMap((raw) => examplesOf(file, raw));
  });
}

function examplesOf(file: string, raw: unknown): readonly ToldStory[] {
  const { examples = [{}], ...outline } = asRecord(raw);
  const listed: readonly unknown[] = Array.isArray(examples) ? examples : [examples];
  return listed.map((example) => ({ ...parse(file, fill(outline, asRecord(example))), file }));
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function parse(file: string, raw: unknown): Story {
  const parsed = storyShape.safeParse(raw);
  if (parsed.success) return parsed.data;
  const title = typeof raw === 'object' && raw !== null && 'story' in raw ? String(raw.story) : '?';
  throw new Error(`${file}: '${title}': ${z.prettifyError(parsed.error)}`);
}

/** A text that is only `<name>` becomes the example's value, whatever it is; inside a text, its words. */
function fill(value: unknown, example: Readonly<Record<string, unknown>>): unknown {
  if (Array.isArray(value)) return value.map((item) => fill(item, example));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [String(fill(key, example)), fill(inner, example)]),
    );
  }
  if (typeof value !== 'string') return value;
  const whole = /^<([a-z]+)>$/i.exec(value)?.[1];
  if (whole !== undefined && Object.hasOwn(example, whole)) return example[whole];
  return value.replaceAll(/<([a-z]+)>/gi, (match, name: string) =>
    Object.hasOwn(example, name) ? String(example[name]) : match,
  );
}
