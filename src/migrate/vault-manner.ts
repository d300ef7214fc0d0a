/**
 * VaultStaticSecret, as HashiCorp's operator (v0.5 to v1.4, helpers/secrets.go) behaves. With `create` it owns its Secret:
 * labels, annotations and ownerReferences are then its own alone, and one that is there is taken by `overwrite`. Without,
 * it writes data and nothing else, and takes nothing off that it wrote before.
 */
import type { Json, JsonObject } from '../kube/json.ts';
import { asArray, asObject, dig, flag, get, text } from '../kube/json.ts';
import { GROUP } from '../plugins/vault-auth.ts';
import { OWNER_LABELS } from '../plugins/vault-manifest.ts';
import { vaultStaticSecret } from '../plugins/vault.ts';
import { rehearsed, withSpec } from './changed-manifest.ts';
import type { Manner, Trace } from './manner.ts';

/**
 * A SecretTransformation that is not there: the operator reports that before it reads or writes anything. Nothing else
 * keeps it from the Secret: another `destination.name` would prune the Secret, and no resource can be paused.
 */
const NOTHING = 'floe-migration-writes-nothing';

/** By what it knows its own Secrets. One that has them all and another owner, or none, is not its own for ever. */
const OWNER_TRACES: readonly Trace[] = [
  ...Object.entries(OWNER_LABELS).map(([key, value]) => ({ key, value })),
  `${GROUP}/vso-ownerRefUID`,
];

export const VAULT_MANNER: Manner = {
  sync: vaultStaticSecret,
  // It marks what it owns alone; its condition is written once the Secret is, with the generation that it read.
  marks: () => true,
  ownership: (raw) => {
    const destination = destinationOf(raw);
    const checks = get(get(raw, 'spec'), 'hmacSecretData') !== false;
    return `${flag(destination, 'create')} ${flag(destination, 'overwrite')} ${checks}`;
  },
  isReleased: (raw) => !flag(destinationOf(raw), 'create'),
  // A MAC of before would make the first pass of its final wishes one that may be left out, or one that restarts pods.
  released: (raw) =>
    withSpec(withDestination(heard(raw), { create: false, overwrite: false }), { hmacSecretData: false }),
  silenced: (raw) => withReferences(raw, [...referencesOf(raw), { name: NOTHING }]),
  isSilent: (raw) => referencesOf(raw).some(isNothing),
  rehearsal: (raw, name) => rehearsed(withDestination(raw, { name, create: true, overwrite: false }), name),
  answers: true,
  traces: { labels: OWNER_TRACES, annotations: [] },
  shunsTraces: true,
};

function destinationOf(raw: unknown): JsonObject {
  return asObject(dig(raw, 'spec', 'destination'));
}

function withDestination(raw: JsonObject, change: JsonObject): JsonObject {
  return withSpec(raw, { destination: { ...destinationOf(raw), ...change } });
}

function referencesOf(raw: unknown): readonly Json[] {
  return asArray(dig(raw, 'spec', 'destination', 'transformation', 'transformationRefs'));
}

function withReferences(raw: JsonObject, transformationRefs: readonly Json[]): JsonObject {
  const transformation = asObject(get(destinationOf(raw), 'transformation'));
  return withDestination(raw, { transformation: { ...transformation, transformationRefs } });
}

/** The same resource without its silence. */
function heard(raw: JsonObject): JsonObject {
  const references = referencesOf(raw);
  return references.some(isNothing)
    ? withReferences(
        raw,
        references.filter((one) => !isNothing(one)),
      )
    : raw;
}

function isNothing(reference: Json): boolean {
  return text(reference, 'name') === NOTHING;
}
