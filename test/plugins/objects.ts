// A sync resource as a plugin sees it, put together from the parts that a test is about.
import type { JsonObject } from '../../src/kube/json.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import type { SyncKind } from '../../src/plugins/plugin.ts';
import { HERE } from '../review/setup.ts';

export interface Parts {
  readonly name?: string;
  readonly spec?: JsonObject;
  readonly status?: JsonObject;
  /** `metadata.generation`; default 1. */
  readonly generation?: number;
}

/** One object of the kind, in the tests' own namespace. */
export function objectOf(
  { resource }: Pick<SyncKind, 'resource'>,
  { name = 'sync', spec = {}, status, generation = 1 }: Parts,
): KubeObject {
  const metadata = { name, namespace: HERE, generation };
  return { kind: resource, raw: { metadata, spec, ...(status === undefined ? {} : { status }) } };
}
