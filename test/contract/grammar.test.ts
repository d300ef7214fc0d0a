import { describe, expect, it, test } from 'vitest';
import {
  defaultVariableName,
  parseContainers,
  parseEnv,
  parseFiles,
  parseInject,
  parseRequireKeys,
  splitEntries,
} from '../../src/contract/grammar.ts';
import type { Parsed } from '../../src/contract/grammar.ts';

const PARSERS = {
  inject: parseInject,
  env: parseEnv,
  files: parseFiles,
  'require-keys': parseRequireKeys,
  containers: parseContainers,
} as const;

/** The positions of the entries that cannot be read. */
function wrong(parsed: Parsed<unknown>): readonly number[] {
  return parsed.mistakes.map(({ position }) => position);
}

test.each([
  ['', []],
  [' \n ,, \t,\r\n', []],
  ['a', ['a']],
  [' a ,\tb\r\n\n c,', ['a', 'b', 'c']],
  ['a b', ['a b']],
])('splitEntries(%j)', (text, entries) => {
  expect(splitEntries(text)).toEqual(entries);
});

describe('inject: [PREFIX=]secret[?]', () => {
  const entry = (secret: string, prefix = '', optional = false) => ({ secret, prefix, optional });

  it.each([
    ['snowflake-credentials', [entry('snowflake-credentials')]],
    ['a.b.c', [entry('a.b.c')]],
    ['0', [entry('0')]],
    ['a?', [entry('a', '', true)]],
    ['DB_=a', [entry('a', 'DB_')]],
    ['_=a?', [entry('a', '_', true)]],
    ['b, a', [entry('b'), entry('a')]],
    // Equal entries count once; with and without `?` is without, in the place of the first.
    ['a, b, a', [entry('a'), entry('b')]],
    ['a?, b, a', [entry('a'), entry('b')]],
    ['a, a?', [entry('a')]],
    ['a?, a?', [entry('a', '', true)]],
    // Another prefix is another entry.
    ['a, DB_=a, DB_=a', [entry('a'), entry('a', 'DB_')]],
  ])('%s', (text, entries) => {
    expect(parseInject(text)).toEqual({ entries, mistakes: [] });
  });

  it.each([
    ['=a', 'before the'],
    ['A=', 'name of the Secret is missing'],
    ['?', 'name of the Secret is missing'],
    ['A=?', 'name of the Secret is missing'],
    ['a??', 'no Secret name'],
    ['a ?', 'no Secret name'],
    ['A', 'no Secret name'],
    ['a_b', 'no Secret name'],
    ['-a', 'no Secret name'],
    ['a-', 'no Secret name'],
    ['a..b', 'no Secret name'],
    ['.a', 'no Secret name'],
    ['x'.repeat(254), 'no Secret name'],
    ['../../kube-system/secrets/a', 'no Secret name'],
    ['ns/a', 'has a key'],
    ['a/', "after the '/'"],
    ['a/b', 'has a key'],
    ['1A=a', 'no prefix'],
    ['A-B=a', 'no prefix'],
    ['A = a', 'no Secret name'],
    ['A =a', 'no prefix'],
    // The last `=` separates: all before it is the prefix.
    ['A=B=a', 'no prefix'],
  ])('%s is a mistake', (text, why) => {
    const { entries, mistakes } = parseInject(text);
    expect(entries).toEqual([]);
    expect(mistakes).toEqual([{ entry: text, position: 1, why: expect.stringContaining(why) }]);
  });

  it('takes the longest name there is', () => {
    expect(wrong(parseInject('x'.repeat(253)))).toEqual([]);
  });
});

describe('env: [NAME=]secret[/key][?]', () => {
  it.each([
    ['db', { secret: 'db', key: 'value', name: 'FLOE_SECRET_DB', optional: false, dotted: false }],
    ['db?', { secret: 'db', key: 'value', name: 'FLOE_SECRET_DB', optional: true, dotted: false }],
    [
      'my-db/user-name',
      {
        secret: 'my-db',
        key: 'user-name',
        name: 'FLOE_SECRET_MY_DB_USER_NAME',
        optional: false,
        dotted: false,
      },
    ],
    [
      'db/api.key',
      { secret: 'db', key: 'api.key', name: 'FLOE_SECRET_DB_API_KEY', optional: false, dotted: true },
    ],
    ['a.b', { secret: 'a.b', key: 'value', name: 'FLOE_SECRET_A_B', optional: false, dotted: true }],
    ['N=a.b/c.d', { secret: 'a.b', key: 'c.d', name: 'N', optional: false, dotted: false }],
    [
      'AWS_ACCESS_KEY_ID=minio/root-user?',
      { secret: 'minio', key: 'root-user', name: 'AWS_ACCESS_KEY_ID', optional: true, dotted: false },
    ],
    ['N=s/..', undefined],
    ['N=s/..hidden', undefined],
    ['N=s/.', undefined],
    ['N=s/.dotfile', { secret: 's', key: '.dotfile', name: 'N', optional: false, dotted: false }],
    // The first `/` after the `=` separates the key, which may have none of its own.
    ['N=s/a/b', undefined],
    [`N=s/${'k'.repeat(254)}`, undefined],
    ['N=s/', undefined],
    ['N=/k', undefined],
    ['=s/k', undefined],
    ['1N=s/k', undefined],
    ['N.M=s/k', undefined],
    ['a=b=s/k', undefined],
  ])('%s', (text, entry) => {
    const { entries, mistakes } = parseEnv(text);
    expect(entries).toEqual(entry === undefined ? [] : [entry]);
    expect(mistakes.map(({ position }) => position)).toEqual(entry === undefined ? [1] : []);
  });

  it('counts equal entries once, however they are written', () => {
    expect(parseEnv('db, FLOE_SECRET_DB=db, db/value?, N=db, N=db?').mistakes).toEqual([
      // Without a name, a key that is written joins the name.
    ]);
    expect(parseEnv('N=db/k?, N=db/k').entries).toEqual([
      { secret: 'db', key: 'k', name: 'N', optional: false, dotted: false },
    ]);
  });

  it.each([
    ['N=a/k, N=b/k', [2]],
    ['N=a/k, N=a/j, N=a/k?, N=c', [2, 4]],
    // Default names may meet.
    ['a-b, a.b', [2]],
    ['a/b-c, a-b/c', [2]],
  ])('%s sets one variable twice', (text, positions) => {
    const parsed = parseEnv(text);
    expect(wrong(parsed)).toEqual(positions);
    expect(parsed.mistakes[0]?.why).toContain('already set by entry 1');
    expect(parsed.entries).toHaveLength(1);
  });
});

describe('files: [/dir=]secret[/key][?]', () => {
  it.each([
    ['db', { secret: 'db', directory: '/run/secrets/db', optional: false }],
    ['db?', { secret: 'db', directory: '/run/secrets/db', optional: true }],
    ['db/tls.crt', { secret: 'db', key: 'tls.crt', directory: '/run/secrets/db', optional: false }],
    ['/etc/db=db', { secret: 'db', directory: '/etc/db', optional: false }],
    ['/a=b/c=db/k?', { secret: 'db', key: 'k', directory: '/a=b/c', optional: true }],
    ['/etc/...=db', { secret: 'db', directory: '/etc/...', optional: false }],
    ['/etc/.hidden=db', { secret: 'db', directory: '/etc/.hidden', optional: false }],
  ])('%s', (text, entry) => {
    expect(parseFiles(text)).toEqual({ entries: [entry], mistakes: [] });
  });

  it.each([
    ['etc/db=db', 'no absolute directory'],
    ['/=db', 'cannot be mounted'],
    ['//=db', 'not a plain path'],
    ['/etc/=db', 'not a plain path'],
    ['/etc//db=db', 'not a plain path'],
    ['/etc/./db=db', 'not a plain path'],
    ['/etc/../db=db', 'not a plain path'],
    ['/..=db', 'not a plain path'],
    ['/.=db', 'not a plain path'],
    ['/c:/db=db', "has a ':'"],
    ['=db', 'before the'],
    ['/etc/db=', 'name of the Secret is missing'],
    ['/etc/db', 'name of the Secret is missing'],
    ['/etc/db=db/', "after the '/'"],
  ])('%s is a mistake', (text, why) => {
    const { entries, mistakes } = parseFiles(text);
    expect(entries).toEqual([]);
    expect(mistakes).toEqual([{ entry: text, position: 1, why: expect.stringContaining(why) }]);
  });

  it('lets Secrets share a directory, but not a file', () => {
    expect(wrong(parseFiles('/d=a, /d=b, /d=a/k, /d=a/j'))).toEqual([]);
    expect(wrong(parseFiles('/d=a/k, /d=b/k, /e=b/k'))).toEqual([2]);
    expect(parseFiles('/d=a/k?, /d=a/k').entries).toEqual([
      { secret: 'a', key: 'k', directory: '/d', optional: false },
    ]);
  });
});

describe('require-keys: secret/KEY', () => {
  it('reads', () => {
    expect(parseRequireKeys('db/USER, db/PASSWORD').entries).toEqual([
      { secret: 'db', key: 'USER' },
      { secret: 'db', key: 'PASSWORD' },
    ]);
  });

  it.each(['db', 'db/', '/K', 'db/K?', 'N=db/K', 'db/a/b'])('%s is a mistake', (text) => {
    expect(parseRequireKeys(text)).toMatchObject({ entries: [], mistakes: [{ entry: text, position: 1 }] });
  });
});

describe('containers', () => {
  it('reads names, init containers and stars', () => {
    expect(parseContainers('dbt, *, init:load, init:*').entries).toEqual([
      { init: false, name: 'dbt' },
      { init: false, name: '*' },
      { init: true, name: 'load' },
      { init: true, name: '*' },
    ]);
  });

  it.each(['Dbt', 'a_b', 'a.b', '-a', 'a-', 'd*', 'init:', 'ephemeral:a', 'x'.repeat(64), 'a b'])(
    '%s is a mistake',
    (text) => {
      expect(parseContainers(text)).toMatchObject({ entries: [], mistakes: [{ entry: text, position: 1 }] });
    },
  );
});

describe('every list', () => {
  const GOOD = { inject: 'a', env: 'N=a/k', files: '/d=a', 'require-keys': 'a/k', containers: 'dbt' };

  it.each(Object.entries(PARSERS))('%s: an empty value asks for nothing', (_name, parse) => {
    for (const text of ['', ' ', '\n', ',,\n,']) expect(parse(text)).toEqual({ entries: [], mistakes: [] });
  });

  it.each(Object.entries(PARSERS))(
    '%s: positions count entries from 1, without the empty ones',
    (name, parse) => {
      const good = GOOD[name as keyof typeof GOOD];
      const parsed = parse(`\n ,${good},,\n NO=!, \n${good}\r\n, !`);
      expect(parsed.mistakes.map(({ entry, position }) => [entry, position])).toEqual([
        ['NO=!', 2],
        ['!', 4],
      ]);
      expect(parsed.entries.length).toBeGreaterThanOrEqual(1);
    },
  );

  it.each(Object.entries(PARSERS))('%s: a mistake hides no other entry', (name, parse) => {
    expect(parse(`!,${GOOD[name as keyof typeof GOOD]}`)).toMatchObject({
      entries: [{}],
      mistakes: [{ position: 1 }],
    });
  });

  // A length that a quadratic reader would need minutes for.
  it.each(Object.entries(PARSERS))('%s: reads a hostile text in linear time', (_name, parse) => {
    for (const piece of ['a=', '/', 'a/', '?', 'a,', '-', '.', 'a.']) parse(piece.repeat(100_000));
  });
});

test.each([
  ['db', undefined, 'FLOE_SECRET_DB'],
  ['snowflake-credentials', 'password', 'FLOE_SECRET_SNOWFLAKE_CREDENTIALS_PASSWORD'],
  ['a.b', 'c-d.e', 'FLOE_SECRET_A_B_C_D_E'],
])('defaultVariableName(%s, %s)', (secret, key, name) => {
  expect(defaultVariableName(secret, key)).toBe(name);
});
