// Promises that hold for any pod, also for one that no API server would let through.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/kube/json.ts';
import type { SecretRecord } from '../../src/kube/secret.ts';
import type { World } from '../../src/kube/world.ts';
import type { Decision } from '../../src/review/decision.ts';
import { ABSENT, LITERAL, PRESENT, asOnTheWire, pods } from './any-pod.ts';
import {
  cluster,
  codes,
  infisicalSecret,
  mutate,
  namespace,
  patched,
  pod,
  secret,
  validate,
} from './setup.ts';

/** All of them, however long that takes: what they reach is known by the seed. */
const RUNS = { seed: 20_261_122, numRuns: 400 } as const;

const SECRETS: readonly SecretRecord[] = PRESENT.map((name) => secret(name, { keys: ['PASSWORD', 'USER'] }));
const FAILING = [{ type: 'secrets.infisical.com/ReadyToSyncSecrets', status: 'False', message: 'no' }];
const OK = [{ type: 'secrets.infisical.com/ReadyToSyncSecrets', status: 'True', message: 'yes' }];

function worldIn(mode: string): World {
  return cluster({
    namespace: namespace({}, { 'secrets.floe.dev/enforcement': mode }),
    secrets: [...SECRETS, secret('synced')],
    objects: [
      infisicalSecret('synced', OK),
      infisicalSecret('failing', FAILING),
      infisicalSecret('db', FAILING),
    ],
  });
}

const MODES = ['audit', 'warn', 'strict'] as const;
const WORLDS = new Map(MODES.map((mode) => [mode, worldIn(mode)]));
const worlds = fc.constantFrom(...WORLDS.values());

function everyPod(check: (given: JsonObject, world: World) => void): void {
  fc.assert(fc.property(pods, worlds, check), RUNS);
}

describe('any pod', () => {
  it('is answered, within all limits, at both doors', () => {
    everyPod((given, world) => {
      const before = JSON.stringify(given);
      for (const decision of [mutate(given, world), validate(given, world)]) holdsPromises(decision);
      // The review reads; it writes into nothing that it was given.
      expect(JSON.stringify(given)).toBe(before);
    });
  });

  it('that is anything at all is answered', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.jsonValue({ maxDepth: 3 }), (spec, metadata) => {
        const given = { spec, metadata } as JsonObject;
        for (const world of WORLDS.values()) {
          for (const decision of [mutate(given, world), validate(given, world)]) holdsPromises(decision);
          const template = { spec: { template: given }, metadata } as JsonObject;
          holdsPromises(validate(template, world, { group: 'apps', kind: 'Deployment' }));
          holdsPromises(validate(given, world, { group: 'secrets.infisical.com', kind: 'InfisicalSecret' }));
          holdsPromises(
            validate(given, world, { group: 'secrets.infisical.com', kind: 'InfisicalStaticSecret' }),
          );
          const debug = { operation: 'UPDATE', subResource: 'ephemeralcontainers', oldObject: {} };
          holdsPromises(validate(given, world, debug));
        }
      }),
      { ...RUNS, numRuns: 150 },
    );
  });

  it('takes the patch, which only adds', () => {
    everyPod((given, world) => {
      const decision = mutate(given, world);
      for (const { op } of decision.patch) expect(['add', 'test']).toContain(op);
      const after = patched(given, decision);
      expect(lost(given, after)).toEqual([]);
      expect(asOnTheWire(after)).toEqual(after);
    });
  });

  it('gets no second patch', () => {
    everyPod((given, world) => {
      const first = mutate(given, world);
      if (!first.allowed) return;
      const second = mutate(patched(given, first), world);
      expect({ allowed: second.allowed, patch: second.patch }).toEqual({ allowed: true, patch: [] });
    });
  });

  it('carries what it asked for after the patch', () => {
    everyPod((given, world) => {
      const first = mutate(given, world);
      if (!first.allowed) return;
      expect(codes(validate(patched(given, first), world)).map((code) => code.slice(0, 4))).not.toContain(
        'E807',
      );
    });
  });

  it('is not admitted in strict with a reference that needs a Secret that is absent', () => {
    const world = WORLDS.get('strict') ?? worldIn('strict');
    everyPod((given) => {
      const needed = ABSENT.filter((name) => needs(given, name));
      const decision = validate(given, world);
      if (needed.length > 0) expect(decision.allowed).toBe(false);
      for (const name of needed) expect(decision.findings.map((finding) => finding.secret)).toContain(name);
    });
  });

  it('never has its literals repeated', () => {
    everyPod((given, world) => {
      const clean = withoutContainerNames(given);
      for (const decision of [mutate(clean, world), validate(clean, world)]) {
        expect(JSON.stringify(decision)).not.toContain(LITERAL);
      }
    });
  });

  it('is answered the same each time', () => {
    everyPod((given, world) => {
      expect(validate(given, world)).toEqual(validate(structuredClone(given), world));
      expect(mutate(given, world)).toEqual(mutate(structuredClone(given), world));
    });
  });
});

it('the pods of these tests reach what they should test', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(pods, worlds, (given, world) => {
      const first = mutate(given, world);
      const second = validate(first.allowed ? patched(given, first) : given, world);
      for (const decision of [first, second]) {
        seen.add(decision.allowed ? 'allowed' : `refused ${decision.refusal?.code}`);
        for (const code of codes(decision)) seen.add(code);
        for (const { path } of decision.patch) seen.add(path.replaceAll(/\/\d+/g, '').replace(/\/-$/, ''));
      }
    }),
    RUNS,
  );
  expect([...seen]).toEqual(
    expect.arrayContaining([
      'allowed',
      'refused 403',
      'refused 422',
      'E801',
      'E802',
      'E803',
      'E804',
      'E805',
      'E812w',
      'E813w',
      '/spec/containers/envFrom',
      '/spec/containers/env',
      '/spec/containers/volumeMounts',
      '/spec/initContainers/env',
      '/spec/volumes',
      '/metadata/annotations/secrets.floe.dev~1injected',
    ]),
  );
});

it('a pod that asks for nothing gets nothing', () => {
  expect(mutate(pod())).toMatchObject({ allowed: true, patch: [], findings: [], injected: [] });
});

function holdsPromises(decision: Decision): void {
  const { allowed, refusal, findings, warnings, patch, mode, wanted } = decision;
  expect(refusal === undefined).toBe(allowed);
  if (!allowed) expect({ mode, patch, warnings }).toEqual({ mode: 'strict', patch: [], warnings: [] });
  if (mode === 'audit') expect(warnings).toEqual([]);
  if (refusal !== undefined) {
    expect(refusal.message.length).toBeLessThanOrEqual(1024);
    expect(refusal.message).toMatch(/^FLOE-E8\d\d: /);
    expect(refusal.retryAfterSeconds).toBe(refusal.code === 429 ? 1 : undefined);
  }
  for (const line of warnings) expect(line.length).toBeLessThanOrEqual(256);
  expect(warnings.join('').length).toBeLessThanOrEqual(4096);
  const severities = findings.map(({ severity }) => severity);
  expect(severities).toEqual([...severities].sort());
  for (const { code, message, suggestion, severity } of findings) {
    expect(message.startsWith(`${code}: `)).toBe(true);
    expect(message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    if (severity === 'error') expect(suggestion, message).toBeDefined();
  }
  // The world of these tests has read everything.
  expect(wanted).toEqual([]);
}

/** What the patched pod lost: everything that was there must still be there, in its place. */
function lost(before: unknown, after: unknown, path = ''): readonly string[] {
  if (Array.isArray(before) && Array.isArray(after)) {
    return before.flatMap((item, index) => lost(item, after[index], `${path}/${index}`));
  }
  if (isPlain(before) && isPlain(after)) {
    return Object.keys(before).flatMap((name) =>
      // The one exception to "only add", and a list or map that was null or no list at all.
      /^secrets\.floe\.dev\/(injected|versions)$/.test(name)
        ? []
        : lost(before[name], after[name], `${path}/${name}`),
    );
  }
  const filled =
    /\/(envFrom|env|volumeMounts|volumes|metadata|annotations)$/.test(path) && !Array.isArray(before);
  if (filled && !(isPlain(before) && /\/(metadata|annotations)$/.test(path))) return [];
  return Object.is(before, after) ? [] : [path];
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether the pod refers to this Secret where the kubelet waits for it: found by a reader of its own. */
function needs(given: JsonObject, name: string): boolean {
  const spec = isPlain(given['spec']) ? given['spec'] : {};
  const inLists = ['containers', 'initContainers', 'ephemeralContainers'].flatMap((one) =>
    objectsIn(spec[one]),
  );
  const references = [
    ...inLists.flatMap((one) => objectsIn(one['envFrom']).map((source) => source['secretRef'])),
    ...inLists.flatMap((one) =>
      objectsIn(one['env']).map((variable) => at(variable['valueFrom'], 'secretKeyRef')),
    ),
    ...objectsIn(spec['volumes']).flatMap((one) => [
      renamed(one['secret']),
      at(one['csi'], 'nodePublishSecretRef'),
      ...objectsIn(at(one['projected'], 'sources')).map((source) => source['secret']),
    ]),
  ];
  return references.some((one) => at(one, 'name') === name && at(one, 'optional') !== true);
}

function at(value: unknown, name: string): unknown {
  return isPlain(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function renamed(value: unknown): unknown {
  return { name: at(value, 'secretName'), optional: at(value, 'optional') };
}

function objectsIn(value: unknown): readonly Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isPlain) : [];
}

/** Container names are told, so a name is no place for a literal that must not be. */
function withoutContainerNames(given: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(given).replaceAll(`"name":"${LITERAL}"`, '"name":"dbt"')) as JsonObject;
}
