/** What a kind of migration brings to the frame of all of them. */
import type { Client } from '../cluster/client.ts';
import type { KubeObject } from '../kube/object.ts';
import { NAMESPACE, label, nameOf, namespaceOf } from '../kube/object.ts';
import type { ReadFailure } from '../kube/world.ts';
import type { Conversion } from '../migrate/conversion.ts';
import { MIGRATION } from '../migrate/names.ts';
import type { MigrationRecord } from '../migrate/record.ts';
import type { Policy } from '../review/policy.ts';
import { policyOf } from '../review/policy.ts';
import type { Settings } from '../review/settings.ts';
import type { ValuesFor } from './migrate-copy.ts';
import type { Options } from './options.ts';
import { counted } from './print.ts';
import type { Terminal } from './terminal.ts';

/** Where a migration looks. */
export interface Looking {
  readonly client: Client;
  readonly options: Options;
  readonly settings: Settings;
  readonly terminal: Terminal;
  /** undefined: all of them. */
  readonly namespace: string | undefined;
}

export interface Gathered {
  /** In the order in which they are shown and carried out. */
  readonly conversions: readonly Conversion[];
  /** What could not be seen. */
  readonly failures: readonly ReadFailure[];
}

/** Whether it is of the namespace, if one is given; what a migration rehearses with is none of another's business. */
export function isLookedAt(raw: unknown, namespace: string | undefined): boolean {
  const isHere = namespace === undefined || namespaceOf(raw) === namespace;
  return isHere && label(raw, MIGRATION) === undefined;
}

/** A namespace as it was read, and its policy; one that may not be seen asks for nothing. */
export function homeAt(
  namespace: string,
  namespaces: readonly KubeObject[],
  settings: Settings,
): { readonly found: KubeObject; readonly policy: Policy } {
  const found = namespaces.find(({ raw }) => nameOf(raw) === namespace) ?? { kind: NAMESPACE, raw: {} };
  return { found, policy: { ...policyOf(settings, found), namespace } };
}

/** The order of their names. */
export function byName(one: Conversion, other: Conversion): number {
  const [a, b] = [one, other].map(({ namespace, name }) => `${namespace}/${name}`) as [string, string];
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Counts conversions of two kinds: '3 ExternalSecrets and 1 PushSecret'; those of `second` where there are some. */
export function countOfTwo(first: string, second: string): (conversions: readonly Conversion[]) => string {
  return (conversions) => {
    const seconds = conversions.filter(({ kind }) => kind === second).length;
    const firsts = conversions.length - seconds;
    const counts = [
      ...(firsts > 0 || seconds === 0 ? [counted(firsts, first)] : []),
      ...(seconds === 0 ? [] : [counted(seconds, second)]),
    ];
    return counts.join(' and ');
  };
}

/** One kind of migration. */
export interface MigrationSource {
  /** 'ExternalSecret'. */
  readonly noun: string;
  /** How many of what there are, in words; default by the noun. */
  readonly count?: (conversions: readonly Conversion[]) => string;
  gather(looking: Looking): Promise<Gathered>;
  /** Whether a record was made by this kind of migration. */
  owns(record: MigrationRecord): boolean;
  /** The values that go upstream; default those that the Secret has. */
  readonly valuesFor?: ValuesFor;
}
