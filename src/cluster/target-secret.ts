/** The Secret that a migration is about: what may be told of it, and its values for whoever copies them. */
import type { JsonObject } from '../kube/json.ts';
import { asObject, get, text } from '../kube/json.ts';
import { SECRET } from '../kube/object.ts';
import type { TargetSecret } from '../migrate/conversion.ts';
import { targetSecretOf } from '../migrate/standing-secret.ts';
import { ApiError } from './api-error.ts';
import type { Client } from './client.ts';
import { objectPath } from './paths.ts';
import { readObject } from './read-object.ts';

interface Named {
  readonly namespace: string;
  readonly name: string;
}

/** Undefined where it is not there. Throws ApiError. */
export async function readTargetSecret(client: Client, named: Named): Promise<TargetSecret | undefined> {
  const raw = await readWhole(client, named);
  return raw === undefined ? undefined : targetSecretOf(raw);
}

/**
 * The values of these keys as upstream can keep them: text, or base64 of those that are to be encoded. Throws ApiError
 * with 404 where one of them is not there any more.
 */
export async function readValuesFor(
  client: Client,
  named: Named,
  { keys, encoded }: { readonly keys: readonly string[]; readonly encoded: readonly string[] },
): Promise<Readonly<Record<string, string>>> {
  const data = asObject(get(await readWhole(client, named), 'data'));
  return Object.fromEntries(
    keys.map((key) => {
      const written = text(data, key);
      if (written === undefined) {
        throw new ApiError(404, 'NotFound', `Secret '${named.name}' has no key '${key}' any more`);
      }
      return [key, encoded.includes(key) ? written : Buffer.from(written, 'base64').toString('utf8')];
    }),
  );
}

async function readWhole(client: Client, { namespace, name }: Named): Promise<JsonObject | undefined> {
  const path = objectPath(SECRET, namespace, name);
  return path === undefined ? undefined : readObject(client, path);
}
