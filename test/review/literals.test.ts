import { expect, it } from 'vitest';
import { containersOf } from '../../src/kube/pod.ts';
import { literalFindings } from '../../src/review/literals.ts';

// Made up, in the shapes of real ones; put together here so that no scanner takes them for a leak.
const joined = (...parts: readonly string[]): string => parts.join('');

const LOOKS_LIKE: readonly (readonly [string, string])[] = [
  ['an AWS access key id', joined('AKIA', 'A1B2C3D4E5F6G7H8')],
  ['a GitHub token', joined('ghp_', 'a1B2'.repeat(9))],
  ['a GitLab token', joined('glpat-', 'a1B2'.repeat(5))],
  ['a Slack token', joined('xoxb-', '1234567890-abcdef')],
  ['a Stripe key', joined('sk_live_', 'a1B2'.repeat(5))],
  ['a Doppler token', joined('dp.st.', 'dev.', 'a1B2'.repeat(8))],
  ['a 1Password service account token', joined('ops_', 'eyJ', 'a1B2'.repeat(12))],
  ['an npm token', joined('npm_', 'a1B2'.repeat(9))],
  ['a signed token (JWT)', joined('eyJ', 'hbGciOiJIUzI1', '.eyJ', 'zdWIiOiIxMjM0', '.', 'a1B2'.repeat(6))],
  ['a private key', joined('-----BEGIN RSA ', 'PRIVATE', ' KEY-----\nMII…')],
  ['a URL with a password', joined('postgres://floe:', 'hunter22', '@db:5432/floe')],
];

const env = (name: string, value: unknown) => ({
  spec: { containers: [{ name: 'dbt', env: [{ name, value }] }] },
});
const findingsOf = (pod: object): ReturnType<typeof literalFindings> => literalFindings(containersOf(pod));

it.each(LOOKS_LIKE)('%s is warned of, and not repeated', (words, value) => {
  const [finding, ...more] = findingsOf(env('ANY', value));
  expect(more).toEqual([]);
  expect(finding).toMatchObject({ code: 'FLOE-E812', severity: 'warning' });
  expect(finding?.what).toContain(words);
  expect(JSON.stringify(finding)).not.toContain(value);
});

it.each([
  ['LOG_LEVEL', 'info'],
  ['DATABASE_PASSWORD', '$(DB_PASSWORD)'],
  ['SECRET_NAME', 'snowflake-credentials'],
  ['URL', 'https://floe.dev/a:b@c'],
  ['URL', 'postgres://floe@db:5432/floe'],
  ['URL', 'postgres://floe:$(PASSWORD)@db/floe'],
  ['AWS_ACCESS_KEY_ID', 'AKIA-short'],
  ['PRIVATE_KEY_FILE', '/run/secrets/key/tls.key'],
  ['PASSWORD', ''],
  ['PASSWORD', 7],
  ['PASSWORD', null],
])('%s=%j is nothing', (name, value) => {
  expect(findingsOf(env(name, value))).toEqual([]);
});

const BASE64 = joined('q7Xk2VbN9s', 'LmT4wZpR8c', 'Yd6HfJ');
const HEX = joined('9f86d081884c7d65', '9a2feaa0c55ad015', 'a3bf4f1b2b0b822c', 'd15d6c15b0f00a08');

it.each([
  ['DB_PASSWORD', BASE64],
  ['API_KEY', BASE64],
  ['CLIENT_SECRET', HEX],
])('what is random is one where the name says so: %s', (name, value) => {
  expect(findingsOf(env(name, value))).toMatchObject([
    { what: `the value of variable ${name} looks like a random credential` },
  ]);
});

it.each([
  ['BUILD_ID', BASE64],
  ['CACHE_KEY', HEX],
  ['IMAGE_DIGEST', HEX],
  ['DB_SECRET', 'my-application-database-secret-name'],
  ['CLIENT_SECRET', '0'.repeat(64)],
  ['TOKEN', '7d444840-9dc0-11d1-b245-5ffdce74fad2'],
])('but not where it is more likely something else: %s', (name, value) => {
  expect(findingsOf(env(name, value))).toEqual([]);
});

it('is quick with values that a backtracking expression would drown in', () => {
  for (const piece of ['a', 'A ', '-----BEGIN A', 'a://b:', ' ', '.', 'st.0-', 'eyJ', 'eyJa.']) {
    expect(findingsOf(env('TOKEN', piece.repeat(100_000)))).toEqual([]);
  }
});
