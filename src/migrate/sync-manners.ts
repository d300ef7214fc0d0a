/**
 * The sync resources that a Secret can be handed from and to, as External Secrets (v0.9 to v2) and Infisical's operator
 * (v0.8 to v0.11) behave.
 */
import type { Json, JsonObject } from '../kube/json.ts';
import { asArray, asObject, dig, text } from '../kube/json.ts';
import { externalSecret, externalSecrets } from '../plugins/external-secrets.ts';
import { infisicalStaticSecret } from '../plugins/infisical-static-secret.ts';
import { infisical, infisicalSecret } from '../plugins/infisical.ts';
import { rehearsed, withSpec } from './changed-manifest.ts';
import type { Manner } from './manner.ts';

const ESO = 'reconcile.external-secrets.io/';
const INFISICAL = 'secrets.infisical.com/';

const EXTERNAL_SECRET: Manner = {
  sync: externalSecret,
  marks: externalSecrets.marks,
  ownership: (raw) => {
    const target = dig(raw, 'spec', 'target');
    return `${text(target, 'creationPolicy') ?? 'Owner'} ${text(target, 'deletionPolicy') ?? 'Retain'}`;
  },
  isReleased: (raw) => {
    const target = dig(raw, 'spec', 'target');
    const owns = ['Owner', undefined].includes(text(target, 'creationPolicy'));
    return !owns && text(target, 'deletionPolicy') !== 'Delete';
  },
  released: (raw) => withTarget(raw, { creationPolicy: 'Orphan', deletionPolicy: 'Retain' }),
  silenced: (raw) => withTarget(raw, { creationPolicy: 'None', deletionPolicy: 'Retain' }),
  isSilent: (raw) => text(dig(raw, 'spec', 'target'), 'creationPolicy') === 'None',
  rehearsal: (raw, name) =>
    rehearsed(withTarget(raw, { name, creationPolicy: 'Owner', deletionPolicy: 'Retain' }), name),
  answers: true,
  traces: { labels: [`${ESO}managed`, `${ESO}created-by`], annotations: [`${ESO}data-hash`] },
};

const INFISICAL_TRACES = {
  labels: [],
  annotations: ['version', 'managed-labels', 'managed-annotations'].map((name) => INFISICAL + name),
};

const INFISICAL_SECRET: Manner = {
  sync: infisicalSecret,
  marks: infisical.marks,
  ownership: (raw) => policiesOf(referencesOf(raw)),
  isReleased: (raw) => referencesOf(raw).every((one) => text(one, 'creationPolicy') !== 'Owner'),
  isSilent: () => false,
  released: (raw) => withReferences(raw, (one) => ({ ...one, creationPolicy: 'Orphan' })),
  rehearsal: (raw, name) =>
    rehearsed(
      withReferences(raw, (one) => ({ ...one, secretName: name, creationPolicy: 'Owner' })),
      name,
    ),
  answers: false,
  traces: INFISICAL_TRACES,
};

const INFISICAL_STATIC_SECRET: Manner = {
  sync: infisicalStaticSecret,
  marks: infisical.marks,
  ownership: (raw) => policiesOf(asArray(dig(raw, 'spec', 'targets'))),
  isReleased: (raw) =>
    asArray(dig(raw, 'spec', 'targets')).every((one) => text(one, 'creationPolicy') !== 'Owner'),
  isSilent: () => false,
  released: (raw) => withTargets(raw, (one) => ({ ...one, creationPolicy: 'Orphan' })),
  rehearsal: (raw, name) =>
    rehearsed(
      withTargets(raw, (one) => ({ ...one, name, creationPolicy: 'Owner' })),
      name,
    ),
  answers: false,
  traces: INFISICAL_TRACES,
};

export const SYNC_MANNERS: readonly Manner[] = [EXTERNAL_SECRET, INFISICAL_SECRET, INFISICAL_STATIC_SECRET];

/** Of both forms that there are. */
function referencesOf(raw: unknown): readonly Json[] {
  const single = dig(raw, 'spec', 'managedSecretReference');
  return [
    ...(single === undefined ? [] : [single]),
    ...asArray(dig(raw, 'spec', 'managedKubeSecretReferences')),
  ];
}

function policiesOf(list: readonly Json[]): string {
  return list.map((one) => text(one, 'creationPolicy') ?? 'Orphan').join(' ');
}

function withTarget(raw: JsonObject, change: JsonObject): JsonObject {
  return withSpec(raw, { target: { ...asObject(dig(raw, 'spec', 'target')), ...change } });
}

type Change = (one: JsonObject) => JsonObject;

function withReferences(raw: JsonObject, change: Change): JsonObject {
  const [single, list] = ['managedSecretReference', 'managedKubeSecretReferences'].map((field) =>
    dig(raw, 'spec', field),
  );
  return withSpec(raw, {
    ...(single === undefined ? {} : { managedSecretReference: change(asObject(single)) }),
    ...(list === undefined ? {} : { managedKubeSecretReferences: changed(list, change) }),
  });
}

function withTargets(raw: JsonObject, change: Change): JsonObject {
  return withSpec(raw, { targets: changed(dig(raw, 'spec', 'targets'), change) });
}

function changed(list: Json | undefined, change: Change): Json {
  return asArray(list).map((one) => change(asObject(one)));
}
