// The scene of the pod that waits: only where a leader opens gates, which a folder of manifests has not.
import { setTimeout as sleep } from 'node:timers/promises';
import { GATE, KEYS } from '../../src/contract/keys.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { asArray, asObject, dig, get, text } from '../../src/kube/json.ts';
import { annotation, nameOf } from '../../src/kube/object.ts';
import { edited, example } from './examples.ts';
import { sync } from './operator.ts';
import type { Example } from './stage.ts';
import { applied, report, settled } from './telling.ts';
import type { Teller } from './telling.ts';

const SECRET = 'orders-credentials';
/** Far longer than it takes: a slow machine is no broken promise. */
const OPEN_WITHIN = 60_000;

export async function showGate(teller: Teller): Promise<void> {
  const { stage, paper, verify } = teller;
  paper.heading('A Secret that is still to come: the pod waits, and starts by itself');
  if (stage.read === undefined) {
    paper.say(
      'No leader runs beside a folder of manifests, and nobody would open a gate: here no pod waits. With a real ' +
        'API server one does: npm run demo -- --cluster',
    );
    return;
  }
  const { object: resource } = await applied(teller, ordersResource());
  const annotations = { [KEYS.inject]: SECRET, [KEYS.pending]: 'gate' };
  const pod = edited(example('dbt-pod.yaml'), 'orders-pod.yaml', { name: 'orders-by-hand', annotations });
  await settled(stage, pod, (answer) => isGated(answer.object));
  paper.command(`kubectl apply -f ${pod.file}`);
  const answer = await stage.create(pod);
  report(teller, pod, answer);
  verify(
    answer.allowed && isGated(answer.object),
    `it is made, with the scheduling gate ${GATE}: no node takes it yet`,
  );
  paper.say("The operator's part: the first sync is done.");
  await sync(stage, resource, { ORDERS_USER: 'example-user' });
  paper.command(`kubectl get pod ${nameOf(pod.raw)} -o jsonpath='{.spec.schedulingGates}'`);
  const opened = await untilOpen(stage.read, answer.object);
  verify(
    opened !== undefined && (annotation(opened, KEYS.versions) ?? '').startsWith(`${SECRET}=`),
    'the leader has opened the gate, and written which version of the Secret the pod will see',
  );
}

async function untilOpen(
  read: (raw: JsonObject) => Promise<JsonObject>,
  pod: JsonObject,
): Promise<JsonObject | undefined> {
  const deadline = Date.now() + OPEN_WITHIN;
  while (Date.now() < deadline) {
    const now = await read(pod);
    if (!isGated(now)) return now;
    await sleep(40);
  }
  return undefined;
}

function isGated(pod: JsonObject): boolean {
  return asArray(dig(pod, 'spec', 'schedulingGates')).some((gate) => text(gate, 'name') === GATE);
}

/** An InfisicalSecret that was made just now: its operator has not seen it yet. */
function ordersResource(): Example {
  const { raw } = edited(example('salesforce-infisicalsecret.yaml'), '', { name: 'orders' });
  const spec = asObject(get(raw, 'spec'));
  const reference = { ...asObject(get(spec, 'managedSecretReference')), secretName: SECRET };
  return {
    file: 'orders-infisicalsecret.yaml',
    raw: { ...raw, spec: { ...spec, managedSecretReference: reference } },
  };
}
