/** A coordination.k8s.io Lease: who holds it, as its object says, and the object that says that we do. */
import type { JsonObject } from '../kube/json.ts';
import { asNumber, asObject, get, text } from '../kube/json.ts';
import { LEASE, annotation, annotationsOf, apiVersionOf } from '../kube/object.ts';
import { KEYS, PREFIX } from '../contract/keys.ts';

/** What a replica writes into the Lease. */
export interface Claim {
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
  /** Milliseconds. */
  readonly duration: number;
  /** What the holder runs, so that every replica knows whether somebody opens gates. */
  readonly controllers: readonly string[];
  /** What the holder tells besides, by annotation; asked at each renewal. */
  notes?(): Readonly<Record<string, string>>;
}

/** What a Lease says. */
export interface Holding {
  /** Empty where nobody holds it. */
  readonly holder: string;
  /** Milliseconds. */
  readonly duration: number;
  readonly controllers: readonly string[];
  /** Changes with every renewal; compared, never read. */
  readonly mark: string;
}

export function holdingOf(lease: unknown): Holding {
  const spec = get(lease, 'spec');
  const holder = text(spec, 'holderIdentity') ?? '';
  const controllers = annotation(lease, KEYS.controllers) ?? '';
  return {
    holder,
    duration: (asNumber(get(spec, 'leaseDurationSeconds')) ?? 0) * 1000,
    controllers: controllers === '' ? [] : controllers.split(','),
    mark: `${holder} ${text(spec, 'renewTime') ?? ''} ${text(get(lease, 'metadata'), 'resourceVersion') ?? ''}`,
  };
}

/** The Lease with us as its holder; `known` is what stands there, undefined where nothing does. */
export function claimed(claim: Claim, known: JsonObject | undefined, now: Date): JsonObject {
  const spec = asObject(get(known, 'spec'));
  const isOurs = text(spec, 'holderIdentity') === claim.identity;
  const time = microTime(now);
  const transitions = asNumber(get(spec, 'leaseTransitions')) ?? 0;
  const controllers = { [KEYS.controllers]: claim.controllers.join(',') };
  return {
    ...shell(known),
    metadata: {
      ...metadataOf(claim, known),
      annotations: { ...strangers(known), ...claim.notes?.(), ...controllers },
    },
    spec: {
      holderIdentity: claim.identity,
      leaseDurationSeconds: Math.ceil(claim.duration / 1000),
      acquireTime: isOurs ? (get(spec, 'acquireTime') ?? time) : time,
      renewTime: time,
      leaseTransitions: known === undefined || isOurs ? transitions : transitions + 1,
    },
  };
}

/** What the holder before told is not true of the next one. */
function strangers(known: JsonObject | undefined): JsonObject {
  return Object.fromEntries(Object.entries(annotationsOf(known)).filter(([key]) => !key.startsWith(PREFIX)));
}

/** The Lease without a holder, free at once. */
export function released(claim: Claim, known: JsonObject, now: Date): JsonObject {
  return {
    ...shell(known),
    metadata: { ...metadataOf(claim, known), annotations: strangers(known) },
    spec: {
      holderIdentity: '',
      leaseDurationSeconds: 1,
      renewTime: microTime(now),
      leaseTransitions: get(get(known, 'spec'), 'leaseTransitions') ?? 0,
    },
  };
}

function shell(known: JsonObject | undefined): JsonObject {
  return { ...known, apiVersion: apiVersionOf(LEASE), kind: LEASE.kind };
}

function metadataOf({ namespace, name }: Claim, known: JsonObject | undefined): JsonObject {
  // With the resourceVersion that was read: of two writers one gets a conflict.
  const { managedFields: _managedFields, ...metadata } = asObject(get(known, 'metadata'));
  return { ...metadata, namespace, name };
}

function microTime(time: Date): string {
  return time.toISOString().replace('Z', '000Z');
}
