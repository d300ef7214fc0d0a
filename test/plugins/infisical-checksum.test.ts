/** The operator's checksum, computed again: as both operators were seen to write it on live Secrets. */
import { describe, expect, it } from 'vitest';
import type { SecretData } from '../../src/plugins/infisical-checksum.ts';
import { driftOf } from '../../src/plugins/infisical-checksum.ts';

function data(values: Readonly<Record<string, string>>): SecretData {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value)]));
}

// Seen on a Secret of a real operator 0.11.5.
const SEEN = 'W/"secrets-48-80C15C79"';
const VALUES = { SNOWFLAKE_USER: 'floe', SNOWFLAKE_PASSWORD: 's3cr3t-1' };

describe('the checksum', () => {
  it('of v1alpha1 is what a real operator wrote', () => {
    expect(driftOf(SEEN, data(VALUES))).toBe('in sync');
    // The order in which keys come is nothing.
    expect(driftOf(SEEN, data({ SNOWFLAKE_PASSWORD: 's3cr3t-1', SNOWFLAKE_USER: 'floe' }))).toBe('in sync');
  });

  it('of v1beta1 is of the map as Go prints it', () => {
    // map[K1:[83 51] K2:[]], 21 bytes, its CRC32 by another program
    expect(driftOf('W/"secrets-21-F01E4E2B"', data({ K2: '', K1: 'S3' }))).toBe('in sync');
  });

  it('of an empty Secret is that of nothing', () => {
    expect(driftOf('W/"secrets-0-00000000"', {})).toBe('in sync');
    expect(driftOf('W/"secrets-0-00000000"', data({ A: '' }))).toBe('drifted');
  });

  it.each([
    ['another value', { ...VALUES, SNOWFLAKE_USER: 'flow' }],
    ['a value more', { ...VALUES, X: 'y' }],
    ['a value less', { SNOWFLAKE_USER: 'floe' }],
    ['another key', { SNOWFLAKE_USERS: 'floe', SNOWFLAKE_PASSWORD: 's3cr3t-1' }],
    ['nothing', {}],
  ])('differs with %s', (_what, values) => {
    expect(driftOf(SEEN, data(values))).toBe('drifted');
  });

  it('counts bytes, not characters', () => {
    expect(driftOf(SEEN, { ...data(VALUES), BYTES: new Uint8Array([0, 255]) })).toBe('drifted');
  });

  it.each([undefined, '', '"2jmj7l5rSw0yVb/vlWAYkK/YBwk="', 'W/"0a-xyz"', '5c0bd1d2-7f6f-4a2b-9c3e-1-3'])(
    'that is %o tells nothing',
    (version) => {
      expect(driftOf(version, data(VALUES))).toBe('unknown');
    },
  );
});
