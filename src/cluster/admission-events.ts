/**
 * Events for what was decided about pods, on the workload that makes them: people look there, not at a pod that never
 * came to be. The caller of a review may be anybody, so an owner counts only once it was read live with its uid.
 */
import { LRUCache } from 'lru-cache';
import { isDnsLabel } from '../kube/names.ts';
import type { OwnerReference } from '../kube/object.ts';
import { apiVersionOf, controllerOf, groupOf, uidOf } from '../kube/object.ts';
import { workloadKind } from '../kube/workload.ts';
import type { Decision } from '../review/decision.ts';
import { hasGate } from '../review/gate.ts';
import type { Request } from '../review/request.ts';
import type { Client } from './client.ts';
import type { EventDraft, Events, Regarding } from './events.ts';
import { METADATA } from './media-types.ts';
import { objectPath } from './paths.ts';
import type { WorkQueue } from './work-queue.ts';
import { createWorkQueue } from './work-queue.ts';

export interface Announcer {
  /** Tells of a decision, where it is worth it. Never fails and never waits. */
  decided(request: Request, decision: Decision): void;
  stop(): Promise<void>;
}

export interface AnnouncerOptions {
  readonly client: Pick<Client, 'get'>;
  readonly events: Events;
}

/** Owners that are looked up at the same time or wait for it; a flood of reviews is told of no more than that. */
const MOST = 200;
/** Keys are kept, and what a pod says of its owner is any text. */
const LONGEST_KEY = 1_000;
/** No Event has room for more of a message. */
const LONGEST_MESSAGE = 2_000;
const BELIEVED = { max: 1_000, ttl: 60_000 };
const TIMEOUT = 2_000;

type Message = Omit<EventDraft, 'regarding'>;

export function createAnnouncer({ client, events }: AnnouncerOptions): Announcer {
  const owners = new LRUCache<string, { readonly found: Regarding | undefined }>(BELIEVED);
  const waiting = new Map<string, Message[]>();
  const queue: WorkQueue = createWorkQueue({
    work: async (key) => {
      const [namespace, owner] = JSON.parse(key) as readonly [string, OwnerReference];
      const messages = waiting.get(key) ?? [];
      waiting.delete(key);
      const found = owners.get(key)?.found ?? (await topOwner(client, namespace, owner));
      owners.set(key, { found });
      if (found !== undefined) for (const one of messages) events.emit({ regarding: found, ...one });
      return undefined;
    },
    failed: (key) => waiting.delete(key),
    // Who could not be read was told of too late to matter.
    backoff: { base: 60_000, max: 60_000 },
  });
  return {
    decided(request, decision) {
      const message = messageOf(request, decision);
      if (message === undefined) return;
      const owner = controllerOf(request.object);
      if (owner === undefined || !isDnsLabel(request.namespace)) return;
      const key = JSON.stringify([request.namespace, owner]);
      if (key.length > LONGEST_KEY) return;
      const messages = waiting.get(key) ?? [];
      if (!waiting.has(key) && waiting.size >= MOST) return;
      waiting.set(key, [...messages, message].slice(-MOST_MESSAGES));
      queue.add(key);
    },
    stop: queue.stop,
  };
}

const MOST_MESSAGES = 5;

/** A refusal, or an injection that has findings. A pod that waits gets Events of its own. */
function messageOf(request: Request, decision: Decision): Message | undefined {
  const { door, kind, group, operation, subResource, dryRun, object } = request;
  const isPod = group === '' && kind === 'Pod' && subResource === '' && operation === 'CREATE';
  if (dryRun || !isPod || (door === 'mutate' && decision.allowed)) return undefined;
  const { refusal, findings, injected } = decision;
  if (refusal !== undefined) return { type: 'Warning', reason: 'SecretsRefused', message: refusal.message };
  if (injected.length === 0 || findings.length === 0 || hasGate(object)) return undefined;
  return {
    type: 'Warning',
    reason: 'SecretsFindings',
    message: textOf(findings),
  };
}

function textOf(findings: Decision['findings']): string {
  let words = '';
  for (const { message } of findings) {
    words += `${words === '' ? '' : ' '}${message}`;
    if (words.length > LONGEST_MESSAGE) return words.slice(0, LONGEST_MESSAGE);
  }
  return words;
}

/** The owner, if it is there and has this uid; of a ReplicaSet the Deployment or Rollout that made it. */
async function topOwner(
  client: Pick<Client, 'get'>,
  namespace: string,
  owner: OwnerReference,
): Promise<Regarding | undefined> {
  const kind = workloadKind(groupOf(owner.apiVersion), owner.kind);
  const path = kind === undefined ? undefined : objectPath(kind, namespace, owner.name);
  if (kind === undefined || path === undefined) return undefined;
  const raw = await client.get(path, { accept: METADATA, timeoutMs: TIMEOUT });
  if (uidOf(raw) !== owner.uid) return undefined;
  const above = kind.kind === 'ReplicaSet' ? controllerOf(raw) : undefined;
  const top = above === undefined ? undefined : await topOwner(client, namespace, above);
  const { name, uid } = owner;
  return top ?? { apiVersion: apiVersionOf(kind), kind: kind.kind, namespace, name, uid };
}
