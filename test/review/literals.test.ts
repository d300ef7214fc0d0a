import { expect, it } from 'vitest';
import { literalFindings } from '../../src/review/literals.ts';

// Made up, in the shapes of real ones; put together here so that no scanner takes them for a leak.
const joined = (...parts: readonly string[]): string => parts.join('');

const LOOKS_LIKE: readonly (readonly [string, string])[] = [
  ['an AWS access key id', joined('AKIA', 'A1B2C3D4E5F6G7H8')],
  ['a GitHub token', joined('ghp_', 'a1B2'.repeat(9))],
  ['a GitLab token', joined('glpat-', 'a1B2'.repeat(5))],
  ['a Slack token', joined('xoxb-', '1234567890-abcdef')],
  ['a Stripe key', joined('sk_live_', 'a1B2'.repeat(5))],
  ['a private key', joined('-----BEGIN RSA ', 'PRIVATE', ' KEY-----\nMII…')],
  ['a URL with a password', joined('postgres://floe:', 'hunter22', '@db:5432/floe')],
];

const env = (name: string, value: unknown) => ({
  spec: { containers: [{ name: 'dbt', env: [{ name, value }] }] },
});

it.each(LOOKS_LIKE)('%s is warned of, and not repeated', (words, value) => {
  const [finding, ...more] = literalFindings(env('ANY', value));
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
  expect(literalFindings(env(name, value))).toEqual([]);
});

it('is quick with values that a backtracking expression would drown in', () => {
  for (const piece of ['a', 'A ', '-----BEGIN A', 'a://b:', ' ', '.', 'st.0-']) {
    expect(literalFindings(env('TOKEN', piece.repeat(100_000)))).toEqual([]);
  }
});
