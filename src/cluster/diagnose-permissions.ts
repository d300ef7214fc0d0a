/** Whether the webhook's ServiceAccounts may do all that the settings ask of them. */
import type { JsonObject } from '../kube/json.ts';
import { dig, get, text } from '../kube/json.ts';
import { DEPLOYMENT } from '../kube/object.ts';
import { PROGRAM } from '../contract/keys.ts';
import { enabledPlugins } from '../review/settings.ts';
import type { Finding, Patient } from './patient.ts';
import { unknown } from './patient.ts';
import { errorOfFault } from './api-error.ts';
import { createLimiter } from './limiter.ts';
import { SUBJECT_ACCESS_REVIEW, collectionPath } from './paths.ts';
import type { Rule } from './permissions.ts';
import { featuresOn, rbacRules } from './permissions.ts';

/** One thing that somebody must be allowed to. */
interface Need {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  /** undefined: in every namespace. */
  readonly namespace?: string;
  readonly name?: string;
}

export async function examinePermissions(patient: Patient): Promise<readonly Finding[]> {
  const check = 'permissions';
  const accounts = await accountsOf(patient);
  if (typeof accounts === 'string') return [unknown(check, accounts)];
  const answers = await Promise.all(
    accounts.map(async ({ account, by }) => examineAccount(account, needsOf(patient, by), patient)),
  );
  return answers;
}

/** The ServiceAccounts, and whose work each does. */
async function accountsOf(
  patient: Patient,
): Promise<
  string | readonly { readonly account: string; readonly by: readonly ('replicas' | 'leader')[] }[]
> {
  const [webhook, controllers] = await Promise.all([
    patient.read(DEPLOYMENT, patient.name),
    patient.read(DEPLOYMENT, `${patient.name}-controllers`),
  ]);
  if (webhook.state !== 'read') return webhook.state === 'failed' ? webhook.why : 'there is no Deployment';
  const account = accountIn(webhook.value);
  if (controllers.state !== 'read') return [{ account, by: ['replicas', 'leader'] }];
  return [
    { account, by: ['replicas'] },
    { account: accountIn(controllers.value), by: ['replicas', 'leader'] },
  ];
}

function accountIn(deployment: JsonObject): string {
  return text(dig(deployment, 'spec', 'template', 'spec'), 'serviceAccountName') ?? 'default';
}

function needsOf({ config, name, namespace }: Patient, by: readonly string[]): readonly Need[] {
  const rules = rbacRules(enabledPlugins(config), featuresOn(config, by));
  return [
    ...rules.cluster.flatMap((rule) => needsIn(rule, name)),
    ...rules.own.flatMap((rule) => needsIn(rule, name).map((need) => ({ ...need, namespace }))),
  ];
}

function needsIn(
  { apiGroups, resources, verbs, resourceNames }: Rule,
  installation: string,
): readonly Need[] {
  const names = resourceNames?.map((one) => one.replace(PROGRAM, installation)) ?? [undefined];
  return apiGroups.flatMap((group) =>
    resources.flatMap((resource) =>
      verbs.flatMap((verb) =>
        names.map((name) => ({ verb, group, resource, ...(name === undefined ? {} : { name }) })),
      ),
    ),
  );
}

async function examineAccount(account: string, needs: readonly Need[], patient: Patient): Promise<Finding> {
  const check = 'permissions';
  const who = `ServiceAccount ${account}`;
  const limit = createLimiter(8);
  try {
    const answers = await Promise.all(
      needs.map(async (need) => ((await limit(async () => isAllowed(patient, account, need))) ? [] : [need])),
    );
    const missing = answers.flat();
    if (missing.length === 0) {
      return { check, outcome: 'ok', message: `${who} may do all of ${needs.length} things that it needs` };
    }
    const message = `${who} may not ${missing.map(describe).join(', ')}`;
    const fix = 'helm upgrade the release with the plugins and features that run, and rbac.create=true';
    return { check, outcome: 'failed', message, fix };
  } catch (fault) {
    const error = errorOfFault(fault);
    if (error.status === 0) throw error;
    return unknown(
      check,
      `cannot create ${SUBJECT_ACCESS_REVIEW.plural}.${SUBJECT_ACCESS_REVIEW.group} (RBAC)`,
    );
  }
}

async function isAllowed({ client, namespace }: Patient, account: string, need: Need): Promise<boolean> {
  const { verb, group, resource, name } = need;
  const answer = await client.post(collectionPath(SUBJECT_ACCESS_REVIEW), {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: `system:serviceaccount:${namespace}:${account}`,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
      resourceAttributes: {
        verb,
        group,
        resource,
        ...(name === undefined ? {} : { name }),
        ...(need.namespace === undefined ? {} : { namespace: need.namespace }),
      },
    },
  });
  return get(get(answer, 'status'), 'allowed') === true;
}

function describe({ verb, group, resource, namespace, name }: Need): string {
  const what = group === '' ? resource : `${resource}.${group}`;
  return `${verb} ${what}${name === undefined ? '' : ` ${name}`}${namespace === undefined ? '' : ` in ${namespace}`}`;
}
