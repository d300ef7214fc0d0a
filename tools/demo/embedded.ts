import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
// oxlint-disable-next-line import/default -- a CommonJS package: its functions are on the default export
import jsonPatch from 'fast-json-patch';
import { Agent, request } from 'undici';
import type { JsonObject } from '../../src/kube/json.ts';
import { asArray, asObject, dig, get, isObject, text } from '../../src/kube/json.ts';
import { nameOf, namespaceOf, uidOf } from '../../src/kube/object.ts';
import { createWorkspace, removeWorkspace } from '../control-plane/workspace.ts';
import { kindOf, titleOf } from './kinds.ts';
import { refusalText } from './refusal.ts';
import type { Answer, Example, Stage } from './stage.ts';
import { HOST, startWebhook, writeWebhookFiles } from './webhook.ts';
import type { Webhook } from './webhook.ts';

type Door = 'mutate' | 'validate';

/** The webhook alone: what an API server would keep is a folder, what it would ask is asked by the demo. */
export async function embeddedStage(): Promise<Stage> {
  const directory = createWorkspace();
  const world = join(directory, 'world');
  mkdirSync(world);
  const files = await writeWebhookFiles(directory);
  const kept = new Map<string, JsonObject>();
  const agent = new Agent({ connect: { ca: files.ca, servername: HOST } });
  let webhook: Webhook | undefined;

  const keep = (raw: JsonObject): void => {
    kept.set(fileName(raw), raw);
    writeFileSync(join(world, fileName(raw)), `${JSON.stringify(raw, null, 2)}\n`);
  };
  const ask = async (door: Door, sent: JsonObject): Promise<JsonObject> => {
    if (webhook === undefined) throw new Error('the webhook is not running');
    const url = `https://127.0.0.1:${webhook.port}/${door}?timeout=5s`;
    const headers = { 'content-type': 'application/json' };
    const { body } = await request(url, {
      method: 'POST',
      dispatcher: agent,
      headers,
      body: JSON.stringify(sent),
    });
    return asObject(get(await body.json(), 'response'));
  };
  const admit = (example: Example, before: JsonObject | undefined, dryRun: boolean): Promise<Answer> =>
    throughDoors(ask, example, { before, dryRun });

  return {
    about:
      'The webhook alone, without an API server: the same process over the same TLS. Its cluster is a folder of ' +
      'manifests that it watches, and the demo sends it the AdmissionReviews that an API server would send. ' +
      'With a real API server: npm run demo -- --cluster',
    command: 'floe-secrets serve --world world/ --cert-dir certs/',
    open: async () => {
      webhook = await startWebhook(files, ['--world', world]);
      return `https://localhost:${webhook.port}`;
    },
    apply: async (example) => {
      const before = kept.get(fileName(example.raw));
      const answer = await admit({ ...example, raw: stored(example.raw, before) }, before, false);
      if (answer.allowed) keep(answer.object);
      return answer;
    },
    create: (example, dryRun = false) => admit(example, undefined, dryRun),
    untouched: async ({ raw }) => raw,
    setStatus: async (raw, status) => keep({ ...(kept.get(fileName(raw)) ?? raw), status }),
    use: (refused) => {
      const review = JSON.stringify(admissionReview(refused.raw, undefined, true), null, 2);
      writeFileSync(join(directory, 'review.json'), `${review}\n`);
      return use(directory, webhook?.port ?? 0);
    },
    logs: () => webhook?.logs() ?? '',
    close: async () => {
      await webhook?.stop();
      await agent.destroy();
      removeWorkspace(directory);
    },
  };
}

type Ask = (door: Door, sent: JsonObject) => Promise<JsonObject>;

/** As the API server does it: each webhook in turn, the patch applied in between, the first refusal ends it. */
async function throughDoors(
  ask: Ask,
  example: Example,
  { before, dryRun }: { readonly before: JsonObject | undefined; readonly dryRun: boolean },
): Promise<Answer> {
  let object = example.raw;
  const warnings: string[] = [];
  for (const door of kindOf(object).doors) {
    const response = await ask(door, admissionReview(object, before, dryRun));
    warnings.push(...asArray(get(response, 'warnings')).map(String));
    if (get(response, 'allowed') !== true) {
      const status = asObject(get(response, 'status'));
      const message = `admission webhook "${door}.secrets.floe.dev" denied the request: ${text(status, 'message') ?? ''}`;
      const refusal = refusalText(text(status, 'reason') ?? '', message, example.file);
      return { allowed: false, verb: '', object: example.raw, warnings, refusal };
    }
    object = patched(object, text(response, 'patch'));
  }
  const verb = before === undefined ? 'created' : 'configured';
  return { allowed: true, verb, object, warnings, refusal: '' };
}

function patched(object: JsonObject, patch: string | undefined): JsonObject {
  if (patch === undefined) return object;
  const operations: unknown = JSON.parse(Buffer.from(patch, 'base64').toString());
  const result: unknown = jsonPatch.applyPatch(
    structuredClone(object),
    operations as jsonPatch.Operation[],
    true,
  ).newDocument;
  if (!isObject(result)) throw new Error('the patch left no object');
  return result;
}

/** The envelope of an API server of version 1.36. */
function admissionReview(object: JsonObject, before: JsonObject | undefined, dryRun: boolean): JsonObject {
  const { group, version, kind, plural } = kindOf(object);
  const operation = before === undefined ? 'CREATE' : 'UPDATE';
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: randomUUID(),
      kind: { group, version, kind },
      resource: { group, version, resource: plural },
      requestKind: { group, version, kind },
      requestResource: { group, version, resource: plural },
      name: nameOf(object),
      namespace: namespaceOf(object),
      operation,
      userInfo: { username: 'demo', groups: ['system:authenticated'] },
      object,
      oldObject: before ?? null,
      dryRun,
      options: {
        apiVersion: 'meta.k8s.io/v1',
        kind: operation === 'CREATE' ? 'CreateOptions' : 'UpdateOptions',
      },
    },
  };
}

/** What an API server fills in when it stores an object. */
function stored(raw: JsonObject, before: JsonObject | undefined): JsonObject {
  const metadata = {
    ...asObject(get(raw, 'metadata')),
    uid: before === undefined ? randomUUID() : uidOf(before),
    creationTimestamp: dig(before, 'metadata', 'creationTimestamp') ?? new Date().toISOString(),
    resourceVersion: String(1 + Number(dig(before, 'metadata', 'resourceVersion') ?? 0)),
  };
  const status = get(before, 'status');
  return { ...raw, metadata, ...(status === undefined ? {} : { status }) };
}

function fileName(raw: JsonObject): string {
  return `${titleOf(raw).replace('/', '-')}.json`;
}

function use(directory: string, port: number): readonly string[] {
  return [
    `Its cluster is the folder ${directory}/world: change what is in it, and the webhook follows.`,
    'A pod without its Secret:',
    '',
    `  curl --cacert ${directory}/certs/ca.crt -H 'content-type: application/json' \\`,
    `    --data @${directory}/review.json 'https://localhost:${port}/mutate?timeout=5s'`,
    '',
    'The same judgement without a webhook:',
    '',
    `  node bin/floe-secrets.js review -f deploy/examples/floe/ --world ${directory}/world`,
  ];
}
