/** A sync resource when its spec is written: what it may target, whose credentials, which project, which environment. */
import { isDeepStrictEqual } from 'node:util';
import { get } from '../kube/json.ts';
import type { KubeObject } from '../kube/object.ts';
import { nameOf } from '../kube/object.ts';
import type { Case } from './case.ts';
import { titleOf } from './claim-words.ts';
import type { Claim } from './claims.ts';
import { claimBy, pluginOf, viewOf } from './claims.ts';
import { aside, decide } from './decide.ts';
import type { Decision } from './decision.ts';
import type { Draft } from './findings.ts';
import { cleanWords, draft, invalid } from './findings.ts';
import type { Request } from './request.ts';
import { kindKey } from './settings.ts';
import { claimFindings, credentialFindings } from './tenancy.ts';

export function reviewSyncResource(one: Case): Decision {
  const { inquiry, request, policy } = one;
  const known = inquiry.settings.kindOf.get(kindKey(request));
  if (known === undefined || !specWritten(request)) return aside();
  const object: KubeObject = { kind: known.kind.resource, raw: request.object };
  const here = request.namespace;
  const name = request.name === '' ? nameOf(request.object) : request.name;
  const claim: Claim = { ...claimBy(object, known, viewOf(inquiry)), namespace: here, name };
  const drafts = [
    ...refusedFindings(claim, here),
    ...targetFindings(one, claim),
    ...claimFindings(inquiry.settings, policy, claim, here),
    ...credentialFindings(inquiry.settings, claim, here),
  ];
  const manner = { mode: policy.mode, bare: false, dryRun: request.dryRun };
  return decide(inquiry, manner, { drafts, plugin: pluginOf(claim)?.id ?? '' });
}

function specWritten({ operation, object, oldObject }: Request): boolean {
  if (operation === 'CREATE') return true;
  if (get(get(object, 'metadata'), 'deletionTimestamp') !== undefined) return false;
  return !isDeepStrictEqual(get(object, 'spec'), get(oldObject, 'spec'));
}

function refusedFindings(claim: Claim, here: string): readonly Draft[] {
  const { refused } = claim.health;
  if (refused === undefined) return [];
  return [
    {
      ...invalid(`${titleOf(claim, here)} will never be synced: ${cleanWords(refused)}`),
      field: 'spec',
      suggestion: 'floe-secrets review -f FILE prints the shape that the operator reads',
    },
  ];
}

/** A resource may write into other namespaces only from one that is trusted to. */
function targetFindings({ inquiry }: Case, claim: Claim): readonly Draft[] {
  if (inquiry.settings.trustedNamespaces.has(claim.namespace)) return [];
  return claim.kind
    .targets(claim.object)
    .filter((target) => target.namespace !== claim.namespace)
    .map((target) =>
      draft(
        'FLOE-E810',
        `${titleOf(claim, claim.namespace)} targets Secret '${cleanWords(target.name)}' of namespace '${cleanWords(target.namespace)}', where namespace '${claim.namespace}' is not trusted to write`,
        {
          secret: target.name,
          field: 'spec',
          suggestion: 'create it in that namespace, or add this one to sync.trustedNamespaces',
        },
      ),
    );
}
