import { setTimeout as sleep } from 'node:timers/promises';
import { PROGRAM } from '../../src/contract/keys.ts';
import type { Json, JsonObject } from '../../src/kube/json.ts';
import { asArray, get, text } from '../../src/kube/json.ts';
import { nameOf } from '../../src/kube/object.ts';
import { sync } from './operator.ts';
import type { Stage } from './stage.ts';
import type { Teller } from './telling.ts';

type Look = NonNullable<Stage['look']>;

const WITHIN = 60_000;
const NAME = 'salesforce-ingest';
const PODS = `/api/v1/namespaces/floe-jobs/pods?labelSelector=app.kubernetes.io/name=${NAME}`;
const EVENTS = `/api/v1/namespaces/floe-jobs/events?fieldSelector=reason=SecretsReloaded,involvedObject.name=${NAME}`;

/** The operator writes another value; the Deployment whose pods use it starts them again. */
export async function showRotation(teller: Teller, owner: JsonObject): Promise<void> {
  const { stage, paper, verify } = teller;
  paper.heading('The token is rotated in the store: the Deployment that uses it restarts');
  const { look } = stage;
  if (look === undefined) {
    paper.say(
      'There are no controllers here: nothing makes the pods of a Deployment, so there are none to restart.',
    );
    return;
  }
  paper.say('It asked for that with secrets.floe.dev/auto-reload: "true".');
  const before = await showPod(teller, look, () => true);
  paper.say("The operator's part: it writes the new token into the Secret.");
  await sync(stage, owner, {
    SALESFORCE_USER: 'example-user',
    SALESFORCE_TOKEN: 'example-token-of-tomorrow',
  });
  const event = await first(look, EVENTS, () => true);
  paper.command(`kubectl describe deployment ${NAME} -n floe-jobs`);
  paper.output(`  Normal  SecretsReloaded  ${PROGRAM}  ${text(event, 'message') ?? ''}`);
  const after = await showPod(teller, look, (name) => name !== before);
  verify(
    before !== undefined && after !== undefined && event !== undefined,
    'a new pod has taken the place of the one with the old token',
  );
}

async function showPod(
  { paper }: Teller,
  look: Look,
  isWanted: (name: string) => boolean,
): Promise<string | undefined> {
  const pod = await first(look, PODS, (one) => isRunning(one) && isWanted(nameOf(one)));
  const name = pod === undefined ? undefined : nameOf(pod);
  paper.command(`kubectl get pods -l app.kubernetes.io/name=${NAME} -n floe-jobs`);
  paper.output(name === undefined ? 'No resources found.' : `${name}   1/1   Running`);
  return name;
}

function isRunning(pod: Json): boolean {
  const isEnding = get(get(pod, 'metadata'), 'deletionTimestamp') !== undefined;
  return !isEnding && text(get(pod, 'status'), 'phase') === 'Running';
}

/** The first item that is as wanted, as soon as there is one. */
async function first(look: Look, path: string, isWanted: (item: Json) => boolean): Promise<Json | undefined> {
  for (const deadline = Date.now() + WITHIN; Date.now() < deadline; await sleep(100)) {
    const found = asArray(get(await look(path), 'items')).find(isWanted);
    if (found !== undefined) return found;
  }
  return undefined;
}
