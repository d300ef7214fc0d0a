// What a file of SOPS tells without its key, and what it holds with it.
import { describe, expect, it } from 'vitest';
import { decryptedDocuments, formatOf, readSopsFile } from '../../src/migrate/sops-file.ts';
import type { SopsFormat } from '../../src/migrate/sops-file.ts';
import { bytesOf } from '../../src/migrate/sops-entries.ts';
import type { SecretInFile } from '../../src/migrate/sops-secrets.ts';
import { secretsIn } from '../../src/migrate/sops-secrets.ts';

const ENC = '"ENC[AES256_GCM,data:4g==,iv:9LiC,tag:X9c+,type:str]"';
const SOPS = `sops:
    age:
        - recipient: age1first
          enc: x
    kms:
        - arn: arn:aws:kms:eu-west-1:111122223333:key/abc
    key_groups:
        - hc_vault:
            - vault_address: https://vault.example
    mac: ${ENC}
    version: 3.13.3
`;

function seen(content: string, format: SopsFormat = 'yaml', flatten = false): readonly SecretInFile[] {
  const file = readSopsFile(content, 'db.enc.yaml', format);
  if (file === undefined) throw new Error('not encrypted');
  return secretsIn(file.documents, { name: 'db', flatten });
}

function opened(content: string, format: 'yaml' | 'json' = 'yaml', flatten = false): readonly SecretInFile[] {
  return secretsIn(decryptedDocuments(content, 'db.enc.yaml', format), { name: 'db', flatten });
}

const keysOf = (secrets: readonly SecretInFile[]): readonly (readonly string[])[] =>
  secrets.map(({ entries }) => entries.map(({ key }) => key));

const whys = (secrets: readonly SecretInFile[]): readonly string[] =>
  secrets.flatMap(({ obstacles }) => obstacles.map(({ where, why }) => `${where}: ${why}`));

function valuesOf(secret: SecretInFile | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(
    (secret?.entries ?? []).map((entry) => [entry.key, Buffer.from(bytesOf(entry) ?? []).toString('latin1')]),
  );
}

describe('a file of keys and values', () => {
  it('tells its keys without the key of SOPS', () => {
    const secrets = seen(`#${ENC}\nUSER: ${ENC}\nPASSWORD: ${ENC}\nEMPTY: ""\n${SOPS}`);
    expect(keysOf(secrets)).toEqual([['EMPTY', 'PASSWORD', 'USER']]);
    expect(secrets[0]).toMatchObject({ kind: 'SOPS file', name: 'db', namespace: '', type: 'Opaque' });
    expect(whys(secrets)).toEqual([]);
  });

  it('is told by its name, and by what SOPS wrote of itself', () => {
    expect(['a.yaml', 'a.yml', 'a.json', '.env', 'a.env', 'a.ini', 'a.bin'].map(formatOf)).toEqual([
      'yaml',
      'yaml',
      'json',
      'dotenv',
      'dotenv',
      undefined,
      undefined,
    ]);
    expect(readSopsFile('sops: {note: mine}\nA: b\n', 'a.yaml', 'yaml')).toBeUndefined();
    expect(readSopsFile('A=b\n', '.env', 'dotenv')).toBeUndefined();
    expect(readSopsFile('{"A": 1}', 'a.json', 'json')).toBeUndefined();
  });

  it('names whom it is for, as text that a terminal may be shown', () => {
    expect(readSopsFile(`A: ${ENC}\n${SOPS}`, 'a', 'yaml')?.recipients).toEqual([
      'age age1first',
      'kms arn:aws:kms:eu-west-1:111122223333:key/abc',
      'hc vault https://vault.example',
    ]);
    const flat = [
      `A=${ENC}`,
      'sops_age__list_0__map_recipient=age1\u001B[2Jx',
      'sops_key_groups__list_0__map_pgp__list_0__map_fp=ABCD',
      'sops_version=3.13.3',
    ].join('\n');
    expect(readSopsFile(flat, 'a', 'dotenv')?.recipients).toEqual(['age age1?[2Jx', 'pgp ABCD']);
    expect(keysOf(seen(flat, 'dotenv'))).toEqual([['A']]);
  });

  it('keeps texts as they are written', () => {
    const yaml =
      'A: 1.10\nB: true\nC: 012\n"ON": x\nD: ""\nE: |\n  two\n  lines\nF: "null"\nG: 12345678901234567890\n';
    expect(valuesOf(opened(yaml)[0])).toEqual({
      A: '1.10',
      B: 'true',
      C: '012',
      ON: 'x',
      D: '',
      E: 'two\nlines\n',
      F: 'null',
      G: '12345678901234567890',
    });
    const json = '{"A": 1.10, "B": false, "G": 12345678901234567890, "__proto__": "p", "Ü": "ü"}';
    expect(valuesOf(opened(json, 'json')[0])).toEqual({
      A: '1.10',
      B: 'false',
      G: '12345678901234567890',
      ['__proto__']: 'p',
      Ü: Buffer.from('ü').toString('latin1'),
    });
    // YAML of SOPS breaks lines there, and readers of today do not.
    expect(() => opened("A: 'a\u2028    b'\n")).toThrow(
      /does not survive beside other documents: split the file/,
    );
    expect(valuesOf(opened('{"A": "a\\u2028b"}', 'json')[0])).toEqual({
      A: Buffer.from('a\u2028b').toString('latin1'),
    });
    expect(whys(seen(`A: ${ENC}\n${SOPS}---\n`))).toEqual([]);
  });

  it('says what is no value, and joins names only where that is asked for', () => {
    const nested = `db:\n  user: ${ENC}\n  ports: [${ENC}, ${ENC}]\nNONE: null\nTILDE: ~\n${SOPS}`;
    expect(whys(seen(nested))).toEqual([
      'db: it holds more than one value',
      'NONE: it has no value',
      'TILDE: it has no value',
    ]);
    expect(seen(nested)[0]?.obstacles[0]?.fix).toMatch(/--flatten/);
    expect(keysOf(seen(nested, 'yaml', true))).toEqual([['db_ports_0', 'db_ports_1', 'db_user']]);
    expect(whys(seen(`a: {b: ${ENC}}\na_b: ${ENC}\n${SOPS}`, 'yaml', true))).toEqual([
      'a_b: two keys become this one',
    ]);
    expect(whys(seen(`"a b": ${ENC}\n${SOPS}`))).toEqual([
      "a b: no key of a Secret: letters, digits, '-', '_' and '.'",
    ]);
    expect(whys(seen(SOPS))).toEqual([': it has no keys']);
    expect(whys(seen(`- ${ENC}\n---\nA: ${ENC}\n${SOPS}`))).toEqual([
      ': it is no mapping of keys to values',
      ': the file has several documents of keys and values, and one Secret cannot be all of them',
      ': the file has several documents of keys and values, and one Secret cannot be all of them',
    ]);
  });

  it('may be nested as deep as it likes', () => {
    const deep = `${'{"a":'.repeat(2000)}"x"${'}'.repeat(2000)}`;
    expect(whys(opened(deep, 'json', true))).toEqual([expect.stringMatching(/the key is too long/)]);
    expect(() => opened(`a: ${'['.repeat(50_000)}`)).toThrow(/^db.enc.yaml:1: /);
  });

  it('is not quoted where it cannot be read', () => {
    const secret = 'bluebird';
    for (const content of [`A: "${secret}`, `A: ${secret}\n  B: ${secret}: c`, `A: *${secret}`]) {
      expect(() => seen(content)).toThrow(/^db\.enc\.yaml:\d+: /);
      expect(() => seen(content)).not.toThrow(new RegExp(secret));
    }
    expect(() => opened(`{"A": "${secret}`, 'json')).toThrow('db.enc.yaml:1: not valid JSON');
  });
});

describe('manifests', () => {
  const secret = `apiVersion: v1
kind: Secret
metadata: {name: tls, namespace: floe-jobs, labels: {team: data}}
type: kubernetes.io/tls
data: {tls.crt: ${ENC}, tls.key: ${ENC}}
stringData: {tls.key: ${ENC}, note: ${ENC}}
${SOPS}`;

  it('are the Secrets that they say', () => {
    const [one] = seen(secret);
    expect(one).toMatchObject({
      kind: 'Secret',
      title: 'Secret tls',
      name: 'tls',
      namespace: 'floe-jobs',
      type: 'kubernetes.io/tls',
      labels: { team: 'data' },
      obstacles: [],
    });
    expect(keysOf(seen(secret))).toEqual([['note', 'tls.crt', 'tls.key']]);
  });

  it('have base64 in data, and stringData written over it', () => {
    const plain = `apiVersion: v1
kind: Secret
metadata: {name: tls}
data: {a: gAE=, b: b2xk, c: "YWJj\\nZGVm"}
stringData: {b: new, n: 1}
`;
    expect(valuesOf(opened(plain)[0])).toEqual({ a: '\u0080\u0001', b: 'new', c: 'abcdef', n: '1' });
    const bad = opened('apiVersion: v1\nkind: Secret\nmetadata: {name: x}\ndata: {a: "no base64!"}\n')[0];
    expect(bad?.entries.map(bytesOf)).toEqual([undefined]);
  });

  it('may be several in a file, and others beside', () => {
    const found = seen(
      `${secret}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {A: ${ENC}}\n${SOPS}`,
    );
    expect(found.map(({ id, title }) => [id, title])).toEqual([
      ['0', 'Secret tls'],
      ['1', 'ConfigMap c'],
    ]);
    expect(whys(found)).toEqual(['kind: a ConfigMap is no Secret']);
  });

  it('of a SopsSecret are all of its templates', () => {
    const found = seen(`apiVersion: isindir.github.com/v1alpha3
kind: SopsSecret
metadata: {name: several, namespace: floe-jobs}
spec:
    secretTemplates:
        - name: one
          labels: {a: b}
          stringData: {A: ${ENC}}
        - name: ${ENC}
          data: {B: ${ENC}}
${SOPS}`);
    expect(
      found.map(({ id, kind, title, name, namespace }) => [id, kind, title, name.slice(0, 4), namespace]),
    ).toEqual([
      ['0/0', 'SopsSecret', 'SopsSecret several', 'one', 'floe-jobs'],
      ['0/1', 'SopsSecret', 'SopsSecret several', 'ENC[', 'floe-jobs'],
    ]);
    expect(whys(found)).toEqual(['metadata: SOPS has encrypted the name too']);
  });

  it('that nobody can make a Secret of say why', () => {
    expect(whys(seen(`apiVersion: ${ENC}\nkind: ${ENC}\nmetadata: {name: ${ENC}}\n${SOPS}`))).toEqual([
      'kind: SOPS has encrypted the whole manifest, kind and name too',
    ]);
    const named = (metadata: string): readonly string[] =>
      whys(
        seen(
          `apiVersion: v1\nkind: Secret\nmetadata: ${metadata}\nimmutable: true\ndata: {A: ${ENC}}\n${SOPS}`,
        ),
      );
    const immutable = 'immutable: the Secret is to be immutable: no operator could update it';
    expect(named('{name: Bad_Name}')).toEqual([
      "metadata.name: 'Bad_Name' is no name of a Secret",
      immutable,
    ]);
    expect(named('{name: a, namespace: b.c}')).toEqual([
      "metadata.namespace: 'b.c' is no name of a namespace",
      immutable,
    ]);
    expect(named('{}')).toEqual(['metadata.name: it has no name', immutable]);
  });
});
