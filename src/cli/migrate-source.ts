/** What a kind of migration brings to the frame of all of them. */
import type { Client } from '../cluster/client.ts';
import type { ReadFailure } from '../kube/world.ts';
import type { Conversion } from '../migrate/conversion.ts';
import type { MigrationRecord } from '../migrate/record.ts';
import type { Settings } from '../review/settings.ts';
import type { ValuesFor } from './migrate-copy.ts';
import type { Options } from './options.ts';
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
