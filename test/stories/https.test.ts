/** Every story through the webhook itself: a process that serves TLS, with a folder of manifests for the cluster. */
import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dig } from '../../src/kube/json.ts';
import { makeAuthority } from '../../tools/certificates.ts';
import { reviewOf } from './admission.ts';
import { asShort } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import type { Answer, Json } from './judge.ts';
import { tell } from './tell.ts';
import { stageOf, troupesFor, worldFolder } from './troupe.ts';
import type { Numbered, Troupe } from './troupe.ts';
import { SERVICE_NAME, startWebhook } from './webhook-process.ts';

const { troupes } = troupesFor('https');

describe.each(troupes.map((troupe) => [troupe.name, troupe] as const))('served with %s', (_name, troupe) => {
  let webhook: Webhook;
  const now = new Date();

  beforeAll(async () => {
    webhook = await serve(troupe, now);
  });
  afterAll(async () => {
    await webhook.stop();
  });

  test.each(troupe.cases.map((numbered) => [numbered.title, numbered] as const))(
    '%s',
    async (_title, numbered) => {
      const stage = stageOf(numbered, now);
      const wrong = await tell(numbered.one, stage, (door, subject) => webhook.call(door, numbered, subject));
      expect(wrong).toEqual([]);
    },
  );
});

interface Webhook {
  call(door: 'mutate' | 'validate', numbered: Numbered, subject: Manifest): Promise<Answer>;
  stop(): Promise<void>;
}

async function serve(troupe: Troupe, now: Date): Promise<Webhook> {
  const authority = await makeAuthority('stories');
  const world = worldFolder(troupe.cases, now);
  const { port, stop } = await startWebhook({
    config: troupe.config,
    authority,
    args: ['--world', world.path],
  });
  const agent = new Agent({ connect: { ca: authority.certPem, servername: SERVICE_NAME } });
  return {
    call: async (door, numbered, subject) =>
      send(`https://127.0.0.1:${port}/${door}?timeout=5s`, agent, {
        door,
        body: reviewOf(numbered.one, stageOf(numbered, now), door, subject),
      }),
    stop: async () => {
      await agent.close();
      expect(await stop()).toBe(0);
      world.remove();
    },
  };
}

async function send(
  url: string,
  dispatcher: Agent,
  { door, body }: { readonly door: string; readonly body: Json },
): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    dispatcher,
    headers: { 'content-type': 'application/json', accept: 'application/json, */*' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  const review: unknown = JSON.parse(text);
  expect(review).toMatchObject({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' });
  expect(dig(review, 'response', 'uid')).toBe(dig(body, 'request', 'uid'));
  return answerOf(door, asShort(dig(review, 'response')));
}

function answerOf(door: string, response: Json): Answer {
  const { patch, patchType, allowed, warnings } = response;
  expect(patchType).toBe(patch === undefined ? undefined : 'JSONPatch');
  if (door === 'validate') expect(patch).toBeUndefined();
  const audit = asShort(response['auditAnnotations']) as Readonly<Record<string, string>>;
  const decoded = typeof patch === 'string' ? Buffer.from(patch, 'base64').toString('utf8') : '[]';
  const status = asShort(response['status']);
  return {
    allowed: allowed === true,
    code: dig(status, 'code') as number | undefined,
    reason: dig(status, 'reason') as string | undefined,
    retryAfterSeconds: dig(status, 'details', 'retryAfterSeconds') as number | undefined,
    message: dig(status, 'message') as string | undefined,
    warnings: (warnings ?? []) as readonly string[],
    patch: JSON.parse(decoded) as readonly Json[],
    injected: (audit['injected'] ?? '').split(',').filter((name) => name !== ''),
    auditAnnotations: audit,
  };
}
