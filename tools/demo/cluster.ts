import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asObject, get, text } from '../../src/kube/json.ts';
import { nameOf } from '../../src/kube/object.ts';
import type { ApiResponse } from '../control-plane/api-client.ts';
import { hasControllers } from '../control-plane/binaries.ts';
import type { Binaries } from '../control-plane/binaries.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { INFISICAL_KINDS, installCrds } from '../control-plane/crds.ts';
import { findTool } from '../control-plane/kubectl.ts';
import { startControlPlane } from '../control-plane/start.ts';
import { createWorkspace, removeWorkspace } from '../control-plane/workspace.ts';
import { collectionPath } from './kinds.ts';
import { refusalText } from './refusal.ts';
import { serviceFor, webhookConfigurations } from './registration.ts';
import type { Answer, Example, Stage } from './stage.ts';
import { SERVICE, startWebhook, writeWebhookFiles } from './webhook.ts';
import type { Webhook } from './webhook.ts';

const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1';

/** A real API server with the webhook registered at it, and controllers where there are any. */
export async function clusterStage(binaries: Binaries): Promise<Stage> {
  const controllers = hasControllers(binaries);
  const plane = await startControlPlane({ binaries, controllers });
  const directory = createWorkspace();
  let webhook: Webhook | undefined;
  return {
    about:
      `A Kubernetes API server of this machine's own, at ${plane.server}, with the webhook registered at it as an ` +
      'installation does it. What follows are its answers.',
    command: 'floe-secrets serve --kubeconfig kubeconfig --cert-dir certs/',
    open: async () => {
      const files = await writeWebhookFiles(directory);
      await installCrds(plane, INFISICAL_KINDS);
      webhook = await startWebhook(files, ['--kubeconfig', plane.kubeconfig]);
      await register(plane, files.ca, webhook.port);
      return `https://localhost:${webhook.port}`;
    },
    apply: (example) => apply(plane, example),
    create: (example, dryRun = false) => create(plane, example, dryRun),
    untouched: async (example) => (await create(plane, outside(example), true)).object,
    read: (raw) => plane.request('GET', `${collectionPath(raw)}/${nameOf(raw)}`),
    setStatus: async (raw, status) => {
      await plane.request('PATCH', `${collectionPath(raw)}/${nameOf(raw)}/status`, { status });
    },
    ...(controllers ? { look: async (path) => asObject(await plane.request('GET', path)) } : {}),
    use: (refused) => {
      const file = join(directory, 'pod.json');
      writeFileSync(file, `${JSON.stringify(refused.raw, null, 2)}\n`);
      return use(plane, controllers, file);
    },
    logs: () => webhook?.logs() ?? '',
    close: async () => {
      // While the API server still answers, the webhook can end its watches in peace.
      await webhook?.stop();
      await plane.stop();
      removeWorkspace(directory);
    },
  };
}

async function register(plane: ControlPlane, ca: string, port: number): Promise<void> {
  const target = await plane.exposeWebhook(port);
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: SERVICE.namespace } };
  await plane.request('POST', '/api/v1/namespaces', namespace);
  await plane.request('POST', `/api/v1/namespaces/${SERVICE.namespace}/services`, serviceFor(target));
  const [mutating, validating] = webhookConfigurations(ca, target.port);
  await plane.request('POST', `${CONFIGURATIONS}/mutatingwebhookconfigurations`, mutating);
  await plane.request('POST', `${CONFIGURATIONS}/validatingwebhookconfigurations`, validating);
}

/** Server-side apply: creates an object, or writes over it. */
async function apply(plane: ControlPlane, example: Example): Promise<Answer> {
  const path = `${collectionPath(example.raw)}/${nameOf(example.raw)}`;
  const response = await plane.send('PATCH', `${path}?fieldManager=floe-demo&force=true`, example.raw, {
    contentType: 'application/apply-patch+yaml',
  });
  return answerOf(response, example);
}

async function create(plane: ControlPlane, example: Example, dryRun: boolean): Promise<Answer> {
  const path = collectionPath(example.raw);
  return answerOf(await plane.send('POST', dryRun ? `${path}?dryRun=All` : path, example.raw), example);
}

/** The same pod in a namespace that is not opted in. */
function outside(example: Example): Example {
  const metadata = { ...asObject(get(example.raw, 'metadata')), namespace: 'default' };
  return { ...example, raw: { ...example.raw, metadata } };
}

function answerOf({ status, body, headers }: ApiResponse<unknown>, { file, raw }: Example): Answer {
  const warnings = warningsIn(headers['warning']);
  if (status < 300) {
    const verb = status === 201 ? 'created' : 'configured';
    return { allowed: true, verb, object: asObject(body), warnings, refusal: '' };
  }
  const refusal = refusalText(text(body, 'reason') ?? '', text(body, 'message') ?? String(body), file);
  return { allowed: false, verb: '', object: raw, warnings, refusal };
}

/** The texts of `Warning: 299 - "text"` headers. */
function warningsIn(header: string | readonly string[] | undefined): readonly string[] {
  const lines = typeof header === 'string' ? [header] : (header ?? []);
  return lines.flatMap((line) =>
    [...line.matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map((match) =>
      (match[1] ?? '').replaceAll(/\\(.)/g, '$1'),
    ),
  );
}

function use(plane: ControlPlane, controllers: boolean, refused: string): readonly string[] {
  const kubectl = findTool('kubectl').path ?? 'kubectl';
  return [
    `  export KUBECONFIG=${plane.kubeconfig}`,
    `  ${kubectl} get namespaces --show-labels`,
    `  ${kubectl} get pods -n floe-jobs`,
    '',
    'A pod without its Secret:',
    '',
    `  ${kubectl} apply -f ${refused}`,
    '',
    controllers
      ? 'Controllers make the pods of Deployments and Jobs; nothing runs in them.'
      : 'There are no controllers: Deployments and Jobs make no pods.',
  ];
}
