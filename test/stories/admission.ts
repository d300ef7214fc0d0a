/** AdmissionReviews of a case, as the API server would send them (1.36, seen). */
import { isObject } from '../../src/kube/json.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { asShort } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { render } from './rendering.ts';
import type { Stage } from './rendering.ts';
import type { Case } from './telling.ts';

const PLURALS: Readonly<Record<string, string>> = {
  Pod: 'pods',
  ReplicationController: 'replicationcontrollers',
};

let count = 0;

/** The review of the subject as it is now: after the patch in `validate`. */
export function reviewOf(
  one: Case,
  stage: Stage,
  door: 'mutate' | 'validate',
  subject: Manifest,
): JsonObject {
  const metadata = asShort(subject['metadata']);
  const kind = String(subject['kind']);
  const [group, version] = splitVersion(String(subject['apiVersion']));
  const plural = PLURALS[kind] ?? `${kind.toLowerCase()}s`;
  const gvk = { group, version, kind };
  const gvr = { group, version, resource: plural };
  const { subResource } = one.story;
  return asJson({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: `00000000-0000-4000-8000-${String(++count).padStart(12, '0')}`,
      kind: gvk,
      resource: gvr,
      ...(subResource === '' ? {} : { subResource }),
      requestKind: gvk,
      requestResource: gvr,
      ...(subResource === '' ? {} : { requestSubResource: subResource }),
      ...(metadata['name'] === undefined ? {} : { name: metadata['name'] }),
      namespace: render(one.namespace, stage),
      operation: one.operation,
      userInfo: { username: one.user.username, groups: one.user.groups },
      object: door === 'validate' ? stored(subject, stage) : subject,
      oldObject: one.old === undefined ? null : render(one.old, stage),
      dryRun: one.story.dryRun,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'kubectl-create' },
    },
  });
}

/** Between the two calls the API server makes the name, the uid and the time. */
function stored(subject: Manifest, stage: Stage): Manifest {
  const metadata = asShort(subject['metadata']);
  const name = metadata['name'] ?? `${String(metadata['generateName'])}x7k2p`;
  const made = render({ name, uid: 'uid:subject', creationTimestamp: 'now' }, stage);
  return { ...subject, metadata: { ...made, ...metadata } };
}

function splitVersion(apiVersion: string): readonly [string, string] {
  const [first = '', second] = apiVersion.split('/');
  return second === undefined ? ['', first] : [first, second];
}

function asJson(value: unknown): JsonObject {
  const json: unknown = JSON.parse(JSON.stringify(value));
  if (!isObject(json)) throw new Error('no object');
  return json;
}
