/** The Secrets that a floe manifest refers to, each with everything that is to be said of it. */
import type { State } from '../contract/reasons.ts';
import { isDnsSubdomain } from '../kube/names.ts';
import type { KubeObject } from '../kube/object.ts';
import { NAMESPACE } from '../kube/object.ts';
import type { SecretRecord } from '../kube/secret.ts';
import type { Want } from '../kube/world.ts';
import type { Bench } from '../review/bench.ts';
import type { Finding } from '../review/decision.ts';
import type { Draft } from '../review/findings.ts';
import { draft, findingOf, invalid } from '../review/findings.ts';
import type { Inquiry } from '../review/inquiry.ts';
import { policyOf } from '../review/policy.ts';
import type { Use } from '../review/references.ts';
import { resolveSecret } from '../review/resolve.ts';
import type { Settings } from '../review/settings.ts';
import { stateFindings } from '../review/states.ts';
import { claimFindings } from '../review/tenancy.ts';
import type { UpstreamAnswer } from './ask-upstream.ts';
import type { FloeReference } from './floe-references.ts';
import type { LiveWorld } from './live-world.ts';

/** A reference and where it stands in its file. */
export interface Located {
  readonly reference: FloeReference;
  readonly file: string;
  readonly line: number;
}

/** One Secret and every place that refers to it. */
export interface Wanted {
  readonly namespace: string;
  readonly name: string;
  readonly places: readonly Located[];
}

export interface Validated extends Wanted {
  readonly state: State;
  /** Undefined where it does not exist, or could not be read. */
  readonly record?: SecretRecord;
  readonly findings: readonly Finding[];
  /** Those that count as its own. */
  readonly syncResources: readonly KubeObject[];
  /** What its stores said, where they were asked. */
  readonly upstream?: readonly UpstreamAnswer[];
  /** No namespace of the jobs: no pod of theirs can refer to it. */
  readonly elsewhere: boolean;
}

interface Terms {
  readonly settings: Settings;
  /** The namespace of the jobs. */
  readonly namespace: string;
  /** FLOE_ENV: the environment that the jobs will run in, where the namespace's own label does not say. */
  readonly environment: string | undefined;
}

/** What to know of a Secret that no plugin can be asked for. */
const NOBODY: Pick<Bench, 'identity' | 'user' | 'isSelfProvided' | 'absentIsLater'> = {
  identity: { serviceAccountName: 'default' },
  user: { username: 'floe-secrets', groups: [] },
  isSelfProvided: () => false,
  absentIsLater: false,
};

/** floe's pattern of references in a manifest: dots and underscores are refused. */
const FLOE_NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/** One entry a Secret, in the order of the first reference to each. */
export function groupReferences(references: readonly Located[], namespace: string): readonly Wanted[] {
  const groups = Map.groupBy(references, ({ reference }) =>
    JSON.stringify([reference.namespace ?? namespace, reference.secret]),
  );
  return [...groups.values()].flatMap((places) => {
    const reference = places[0]?.reference;
    if (reference === undefined) return [];
    return [{ namespace: reference.namespace ?? namespace, name: reference.secret, places }];
  });
}

/** Judges every Secret against the world, reading what is not known yet. */
export async function validateSecrets(
  wanted: readonly Wanted[],
  live: LiveWorld,
  terms: Terms,
): Promise<readonly Validated[]> {
  const names = wanted.filter(({ name }) => isDnsSubdomain(name));
  await live.read(
    names.flatMap(({ namespace, name }): readonly Want[] => [
      { what: 'namespace', name: namespace },
      { what: 'secret', namespace, name, full: true },
    ]),
  );
  const now = Date.now();
  return wanted.map((one) => {
    const inquiry: Inquiry = {
      settings: terms.settings,
      world: live.world,
      now,
      namespace: one.namespace,
      wanted: [],
    };
    return {
      ...one,
      ...judged(inquiry, one, terms.environment),
      elsewhere: one.namespace !== terms.namespace,
    };
  });
}

type Judged = Pick<Validated, 'state' | 'record' | 'findings' | 'syncResources'>;

function judged(inquiry: Inquiry, wanted: Wanted, environment: string | undefined): Judged {
  const uses = wanted.places.map(useOf);
  if (!isDnsSubdomain(wanted.name)) {
    const made = { ...invalid(`'${wanted.name.slice(0, 60)}' is not a valid Secret name`), uses };
    return { state: 'Missing', findings: [findingOf(made)], syncResources: [] };
  }
  const bench = benchOf(inquiry);
  const resolution = resolveSecret(inquiry, wanted.name, bench.policy.maxSyncAge);
  const { state, drafts } = stateFindings(bench, groupOf(wanted), resolution);
  const { record } = resolution;
  const policy = { ...bench.policy, ...(environment === undefined ? {} : { environment }) };
  const rights = resolution.claims.trusted
    .flatMap((claim) => claimFindings(inquiry.settings, policy, claim, inquiry.namespace))
    .map((one) => ({ secret: wanted.name, uses, ...one }));
  return {
    state,
    ...(record === undefined ? {} : { record }),
    findings: [...drafts, ...rights, ...namingFindings(wanted.name, uses)].map(findingOf),
    syncResources: resolution.claims.trusted.map(({ object }) => object),
  };
}

function benchOf(inquiry: Inquiry): Bench {
  const read = inquiry.world.namespace(inquiry.namespace);
  const namespace: KubeObject = read.state === 'present' ? read.value : { kind: NAMESPACE, raw: {} };
  const policy = policyOf(inquiry.settings, namespace);
  return { ...NOBODY, inquiry, policy, plan: { chain: policy.chain } };
}

function groupOf({ name, places }: Wanted): Parameters<typeof stateFindings>[1] {
  const references = places.map((place) => ({
    secret: name,
    keys: place.reference.keys,
    optional: false,
    tolerated: false,
    use: useOf(place),
  }));
  return { secret: name, references, injected: false };
}

function useOf({ reference, file, line }: Located): Use {
  return { field: reference.field, words: `${reference.field} (${file}:${line})` };
}

function namingFindings(name: string, uses: readonly Use[]): readonly Draft[] {
  if (FLOE_NAME.test(name)) return [];
  const suggestion = `name it '${name.replaceAll('.', '-')}'`;
  return [
    draft('FLOE-E830', `Secret name '${name}' breaks floe's naming rule ${FLOE_NAME.source}`, {
      secret: name,
      uses,
      suggestion,
    }),
  ];
}
