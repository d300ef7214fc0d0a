import { unifiedDiff } from '../../src/cli/diff.ts';
import { yaml } from '../../src/cli/print.ts';
import { KEYS } from '../../src/contract/keys.ts';
import type { JsonObject } from '../../src/kube/json.ts';
import { annotation, labelsOf, nameOf } from '../../src/kube/object.ts';
import { asObject, dig, get } from '../../src/kube/json.ts';
import { ADR_EXAMPLE, edited, example } from './examples.ts';
import { showGate } from './gate.ts';
import { titleOf } from './kinds.ts';
import { failToSync, sync } from './operator.ts';
import type { Paper } from './paper.ts';
import { explainShape } from './review-command.ts';
import { showRotation } from './rotation.ts';
import type { Example, Stage } from './stage.ts';
import { applied, refused, report, settled } from './telling.ts';
import type { Teller } from './telling.ts';

/** Plays every step and gives the announcements that did not come true. */
export async function tell(stage: Stage, paper: Paper): Promise<readonly string[]> {
  const broken: string[] = [];
  const verify = (behaved: boolean, what: string): void => {
    if (behaved) return paper.good(what);
    broken.push(what);
    paper.bad(`not as announced: ${what}`);
  };
  const teller: Teller = { stage, paper, verify };
  await start(teller);
  await setTheScene(teller);
  await showInjection(teller);
  await showMissing(teller);
  await showWorkloads(teller);
  await showNotSynced(teller);
  await showMissingKey(teller);
  await showHealed(teller);
  await showGate(teller);
  await showRotation(teller, await salesforce(stage));
  await showWarnMode(teller);
  await showShape(teller);
  return broken;
}

async function start({ stage, paper, verify }: Teller): Promise<void> {
  paper.heading('The webhook starts');
  paper.command(stage.command);
  const address = await stage.open();
  verify(address.startsWith('https://'), `it answers at ${address}`);
}

async function setTheScene(teller: Teller): Promise<void> {
  const { stage, paper, verify } = teller;
  paper.heading('A namespace opts in, and says which Secrets there are');
  await applied(teller, example('namespace.yaml'));
  const wishless = edited(example('dbt-pod.yaml'), '-', { annotations: {} });
  await settled(stage, wishless, (answer) => answer.allowed);
  await applied(teller, example('catalog-secret.yaml'));
  const { object } = await applied(teller, example('snowflake-infisicalsecret.yaml'));
  paper.say(
    "No Infisical runs here, so the demo plays its operator's part: it writes the Secret and reports it.",
  );
  await sync(stage, object, {
    SNOWFLAKE_ACCOUNT: 'example-account',
    SNOWFLAKE_USER: 'example-user',
    SNOWFLAKE_PASSWORD: 'example-password',
  });
  const ready = await settled(stage, example('dbt-pod.yaml'), (answer) => answer.allowed);
  verify(ready, 'the webhook has seen it');
}

async function showInjection(teller: Teller): Promise<void> {
  const { stage, paper, verify } = teller;
  paper.heading('A pod asks for two Secrets and gets them');
  const pod = example('dbt-pod.yaml');
  paper.command(`kubectl apply -f ${pod.file}`);
  const [before, answer] = [await stage.untouched(pod), await stage.create(pod)];
  report(teller, pod, answer);
  const name = nameOf(pod.raw);
  const names = { before: `${name} as it was sent`, after: `${name} as it was admitted` };
  paper.diff(unifiedDiff(yaml(visible(before)), yaml(visible(answer.object)), names));
  const injected = annotation(answer.object, KEYS.injected) ?? 'nothing';
  verify(
    answer.allowed && injected === 'snowflake-credentials,catalog-credentials',
    `injected: ${injected.replaceAll(',', ', ')}; by name, no value is in the pod`,
  );
}

async function showMissing(teller: Teller): Promise<void> {
  teller.paper.heading('A Secret that nobody has heard of: refused');
  await refused(teller, example('ingest-pod.yaml'), 'FLOE-E801');
}

async function showWorkloads(teller: Teller): Promise<void> {
  const { paper, verify } = teller;
  paper.heading('A workload is told before its pods are');
  const job = await applied(teller, example('dbt-job.yaml'));
  verify(job.allowed && job.warnings.length === 0, 'nothing to say about the Job: all it asks for is there');
  const deployment = await applied(teller, example('ingest-deployment.yaml'));
  const said = deployment.warnings.some((warning) => warning.includes('FLOE-E801'));
  verify(deployment.allowed && said, 'the Deployment is made, with a warning: its Secret may still come');
}

async function showNotSynced(teller: Teller): Promise<void> {
  const { stage, paper } = teller;
  paper.heading('The Secret is declared, but its sync fails: refused, in the words of the operator');
  const { object } = await applied(teller, example('salesforce-infisicalsecret.yaml'));
  paper.say("The operator's part again: it finds no machine identity to log in with, and says so.");
  await failToSync(stage, object);
  await refused(teller, example('ingest-pod.yaml'), 'FLOE-E803');
}

async function showMissingKey(teller: Teller): Promise<void> {
  const { stage, paper } = teller;
  paper.heading('The Secret is synced, but lacks a key that the pod cannot do without: refused');
  paper.say('The machine identity is there now, but the store holds no SALESFORCE_TOKEN.');
  await sync(stage, await salesforce(stage), { SALESFORCE_USER: 'example-user' });
  await refused(teller, example('ingest-pod.yaml'), 'FLOE-E802');
}

async function showHealed(teller: Teller): Promise<void> {
  const { stage, paper, verify } = teller;
  paper.heading('Somebody adds the key to the store, it is synced: the same pod is admitted');
  const values = { SALESFORCE_USER: 'example-user', SALESFORCE_TOKEN: 'example-token' };
  await sync(stage, await salesforce(stage), values);
  const pod = example('ingest-pod.yaml');
  await settled(stage, pod, (answer) => answer.allowed);
  paper.command(`kubectl apply -f ${pod.file}`);
  const answer = await stage.create(pod);
  report(teller, pod, answer);
  verify(answer.allowed, `injected: ${annotation(answer.object, KEYS.injected) ?? 'nothing'}`);
}

async function showWarnMode(teller: Teller): Promise<void> {
  const { stage, paper, verify } = teller;
  paper.heading('The same rules as warnings, for a namespace that is not ready to be strict');
  await enforce(teller, 'warn');
  const pod = neverMet('report-by-hand');
  await settled(stage, pod, (answer) => answer.allowed);
  paper.command(`kubectl apply -f ${pod.file}`);
  const answer = await stage.create(pod);
  report(teller, pod, answer);
  const said = answer.warnings.some((warning) => warning.includes('FLOE-E801'));
  verify(
    answer.allowed && said && annotation(answer.object, KEYS.injected) === 'report-credentials',
    'the pod is made and injected; it will wait for its Secret, and the warning says which',
  );
  await enforce(teller, 'strict');
}

async function enforce({ stage, paper }: Teller, mode: string): Promise<void> {
  const namespace = example('namespace.yaml');
  paper.command(`kubectl label namespace ${nameOf(namespace.raw)} --overwrite ${KEYS.enforcement}=${mode}`);
  const labels = { ...labelsOf(namespace.raw), [KEYS.enforcement]: mode };
  await stage.apply(edited(namespace, namespace.file, { labels }));
  paper.output(`${titleOf(namespace.raw)} labeled`);
}

async function showShape({ paper, verify }: Teller): Promise<void> {
  paper.heading("The InfisicalSecret as floe's ADR-0031 prints it: explained, and corrected");
  paper.command(`floe-secrets review -f ${ADR_EXAMPLE}`);
  const { output, explained } = await explainShape(ADR_EXAMPLE);
  paper.output(output);
  verify(
    explained,
    "secretsScope belongs under authentication.universalAuth; the operator's CRD refuses the rest",
  );
}

/** A pod whose Secret no step of the story brings. */
export function neverMet(name = 'another-by-hand'): Example {
  const annotations = { [KEYS.inject]: 'report-credentials' };
  return edited(example('dbt-pod.yaml'), 'report-pod.yaml', { name, annotations });
}

/** The InfisicalSecret as the cluster has it: the Secret's ownerReference needs its uid. */
async function salesforce(stage: Stage): Promise<JsonObject> {
  return (await stage.apply(example('salesforce-infisicalsecret.yaml'))).object;
}

/** What of a pod people care about: its spec and its annotations. */
function visible(pod: JsonObject): JsonObject {
  const annotations = asObject(dig(pod, 'metadata', 'annotations'));
  return { metadata: { annotations }, spec: get(pod, 'spec') };
}
