import { describe, expect, it, test } from 'vitest';
import { recordName, rehearsalName } from '../../src/migrate/names.ts';
import { recordManifest, recordOf, wayBack } from '../../src/migrate/record.ts';
import { plainText, templateOf } from '../../src/migrate/values.ts';

describe('a value is kept upstream as it is', () => {
  test.each(['', 'floe', 'two words', '\n', 'one\n', 'a\nb\n', 'ünï', '$HOME', '{}'])('%j', (text) =>
    expect(plainText(Buffer.from(text))).toBe(text),
  );
  test.each([' blank', 'blank ', 'tab\t', 'lines\n\n', 'of ${OTHER}', '\uFEFF bom '])('but not %j', (text) =>
    expect(plainText(Buffer.from(text))).toBeUndefined(),
  );
  it('nor bytes that are no text', () => {
    expect(plainText(Buffer.from([0xff, 0xfe, 0x00]))).toBeUndefined();
  });
});

it('decodes in the template what is kept as base64', () => {
  expect(templateOf(['A', 'b.c'], [])).toBeUndefined();
  expect(templateOf(['A', 'b.c'], ['b.c'])).toEqual({
    A: '{{ .A.Value }}',
    'b.c': '{{ decodeBase64ToBytes (index . "b.c").Value }}',
  });
});

describe('names', () => {
  it('tell what they are of', () => {
    expect([recordName({ secret: 'db' }), rehearsalName('db')]).toEqual([
      'floe-migration-db',
      'db-floe-rehearsal',
    ]);
  });

  it('stay within what the API server takes, and apart', () => {
    const [one, other] = ['a', 'b'].map((end) => recordName({ secret: 'x'.repeat(252) + end }));
    expect(one).toHaveLength(253);
    expect(one).not.toBe(other);
    expect(rehearsalName(`${'x'.repeat(241)}.y.z`)).toMatch(/^x{241}-[0-9a-f]{10}$/);
  });
});

describe('a record', () => {
  const metadata = { name: 'db', namespace: 'jobs' };
  const plan = {
    namespace: 'jobs',
    secret: 'db',
    from: { apiVersion: 'external-secrets.io/v1', kind: 'ExternalSecret', metadata, spec: {} },
    to: {
      apiVersion: 'secrets.infisical.com/v1alpha1',
      kind: 'InfisicalSecret',
      metadata,
      spec: { managedKubeSecretReferences: [{ secretName: 'db', secretNamespace: 'jobs' }] },
    },
    record: 'kept',
  } as const;

  it('is read as it was written, and leads back', () => {
    const record = recordOf(recordManifest(plan, new Date(0)));
    expect(record).toEqual({
      namespace: 'jobs',
      secret: 'db',
      from: plan.from,
      to: plan.to,
      state: 'open',
      began: '1970-01-01T00:00:00.000Z',
    });
    expect(record && wayBack(record)).toMatchObject({ from: plan.to, to: plan.from, record: 'removed' });
  });

  test.each([
    ['nothing', undefined],
    [
      'no manifest',
      { metadata: { labels: { 'secrets.floe.dev/migration': 'record' } }, data: { secret: 'db' } },
    ],
    [
      'text that is no JSON',
      { metadata: { labels: { 'secrets.floe.dev/migration': 'record' } }, data: { secret: 'db', to: '{' } },
    ],
    ["somebody else's ConfigMap", { metadata: {}, data: { secret: 'db', to: '{"metadata":{}}' } }],
  ])('is not read out of %s', (_name, raw) => expect(recordOf(raw)).toBeUndefined());
});
