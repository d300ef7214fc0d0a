/** What the kinds of Infisical's operator have in common. */
import type { Json } from '../kube/json.ts';
import { asObject, dig, get } from '../kube/json.ts';
import type { SecretRecord } from '../kube/secret.ts';
import type { Condition } from './conditions.ts';
import { verdictOf, wordsOf } from './conditions.ts';
import { ownedByGroup } from './plugin.ts';
import { texts } from './spec.ts';

export const GROUP = 'secrets.infisical.com';
/** On every Secret that the operator wrote: a checksum of its data. */
const VERSION = `${GROUP}/version`;

/** Whether Infisical's operator wrote the Secret at some time. */
export function isMarked(secret: SecretRecord): boolean {
  return Object.hasOwn(secret.annotations, VERSION) || ownedByGroup(secret.ownerReferences, GROUP);
}

/** As any condition is read, without the operator's preamble. */
export function infisicalVerdict(condition: Condition | undefined): ReturnType<typeof verdictOf> {
  if (condition === undefined) return verdictOf(condition);
  const message = withoutPreamble(condition.message);
  return { ...verdictOf(condition), words: wordsOf({ ...condition, message }) };
}

/** The operator begins every failure with the same hundred characters; what a person needs stands behind them. */
const PREAMBLE =
  'Failed to sync secrets. This can be caused by invalid access token or an invalid API host that is set. Error: ';

function withoutPreamble(message: string): string {
  return message.startsWith(PREAMBLE) ? message.slice(PREAMBLE.length) : message;
}

/** Slug and id of the project that a scope or a source names. */
export function projectsOf(scope: Json): readonly (Json | undefined)[] {
  return [get(scope, 'projectSlug'), get(scope, 'projectId')];
}

/** Credentials stand in references of several names: whatever has a `secretNamespace`, and service accounts. */
export function credentialNamespacesOf(raw: unknown): readonly string[] {
  const authentication = asObject(dig(raw, 'spec', 'authentication'));
  const references = Object.values(authentication).flatMap((method) => Object.values(asObject(method)));
  return texts([
    dig(raw, 'spec', 'tokenSecretReference', 'secretNamespace'),
    ...references.map((reference) => get(reference, 'secretNamespace')),
    ...Object.values(authentication).map((method) => dig(method, 'serviceAccountRef', 'namespace')),
  ]);
}
