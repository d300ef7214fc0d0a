/** The way out: what holds of a sync resource of Infisical, whoever takes its Secret over. */
import type { JsonObject } from '../kube/json.ts';
import { asObject, get, text } from '../kube/json.ts';
import type { KubeObject } from '../kube/object.ts';
import { controllerOf, nameOf, namespaceOf } from '../kube/object.ts';
import { upstreamPlaces } from '../plugins/upstream-places.ts';
import type { Conversion, Obstacle, TargetSecret } from './conversion.ts';
import { keeperOf } from './eso-metadata.ts';
import type { InfisicalReading } from './infisical-reading.ts';
import { manifestOfObject } from './manners.ts';
import type { TrustedLogin } from './record-login.ts';
import { foreignLogin } from './record-login.ts';

export interface Leaving {
  readonly object: KubeObject;
  readonly reading: InfisicalReading;
  /** Undefined where it is not there. */
  readonly target: TargetSecret | undefined;
  /** What the run was told of Infisical. */
  readonly trusted: TrustedLogin;
}

export interface Departure {
  readonly base: Omit<Conversion, 'to' | 'copy' | 'obstacles'>;
  readonly obstacles: readonly Obstacle[];
}

export function departureOf({ object, reading, target, trusted }: Leaving): Departure {
  const { raw } = object;
  const from = manifestOfObject(object);
  const keeper = keeperOf(raw);
  const places = upstreamPlaces(object).map(
    ({ project, environment, path }) => `${project}/${environment}${path}`,
  );
  return {
    base: {
      namespace: namespaceOf(raw),
      secret: reading.secret,
      kind: object.kind.kind,
      name: nameOf(raw),
      source: places.join(', ') || '-',
      from,
      notes: keeper === undefined ? [] : [`${keeper} keeps it: take it out there, or it comes back`],
    },
    obstacles: [...refusals(raw, reading, target), ...reading.others, ...wayBackNeeds(from, trusted)],
  };
}

/** What no longer is as it was, whoever takes over. */
export function farewell({ object, reading }: Leaving, refresh: string): readonly string[] {
  return [
    ...(reading.isInstant ? [`changes arrive within ${refresh}, and no longer at once`] : []),
    ...(reading.owns
      ? [`after --rollback ${object.kind.kind} '${nameOf(object.raw)}' writes the Secret without owning it`]
      : []),
  ];
}

function refusals(
  raw: JsonObject,
  { secret }: InfisicalReading,
  target: TargetSecret | undefined,
): readonly Obstacle[] {
  const found: Obstacle[] = [];
  const add = (where: string, why: string, fix?: string): void =>
    void found.push({ where, why, ...(fix === undefined ? {} : { fix }) });
  const maker = controllerOf(raw);
  if (maker !== undefined) {
    add('metadata.ownerReferences', `${maker.kind} '${maker.name}' makes it, and would make it again`);
  }
  if (text(get(raw, 'metadata'), 'deletionTimestamp') !== undefined) add('', 'it is being deleted');
  if (target === undefined) {
    add('', `its Secret '${secret}' is not there, so there is nothing to hand over`, 'let it sync first');
  } else if (target.immutable) add('', 'its Secret is immutable: no operator could update it');
  else if (target.keys.length === 0) add('', 'its Secret has no keys');
  return found;
}

/** A record is only believed with a login that the run was told, so without one there would be no way back. */
function wayBackNeeds(from: JsonObject, trusted: TrustedLogin): readonly Obstacle[] {
  const place = foreignLogin(from, trusted);
  if (place === undefined) return [];
  return [
    {
      where: '',
      why: `on the way back it would log in by what is in namespace '${place}', which the settings do not name so`,
      fix: 'set upstream.infisical.hostAPI and upstream.infisical.credentials as it has them, or give --infisical-auth',
    },
  ];
}

/** Whether it is of a kind that this takes. */
export function isOfInfisical(manifest: JsonObject | undefined): boolean {
  return ['InfisicalSecret', 'InfisicalStaticSecret'].includes(text(asObject(manifest), 'kind') ?? '');
}
