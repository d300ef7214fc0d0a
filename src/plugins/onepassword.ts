/**
 * 1Password's operator: OnePasswordItem (v1), as its controller of v1.12 writes it. It also syncs Secrets for
 * annotated Deployments, without any resource: then its annotations on the Secret alone claim it.
 */
import { derived } from '../kube/derived.ts';
import { get, text } from '../kube/json.ts';
import type { KubeObject } from '../kube/object.ts';
import { nameOf, namespaceOf } from '../kube/object.ts';
import { conditionOf, verdictOf } from './conditions.ts';
import type { Health, Plugin, Scope, SyncKind } from './plugin.ts';
import { ownedByGroup } from './plugin.ts';
import { target } from './spec.ts';

const GROUP = 'onepassword.com';
const ITEM_PATH = 'operator.1password.io/item-path';
const MARKS = [ITEM_PATH, 'operator.1password.io/item-version'] as const;

export const onePasswordItem: SyncKind = {
  resource: {
    group: GROUP,
    version: 'v1',
    kind: 'OnePasswordItem',
    plural: 'onepassworditems',
    namespaced: true,
  },
  // The Secret has the item's name; what the operator changes of it, no name of a custom resource can have.
  targets: ({ raw }) => target(nameOf(raw), namespaceOf(raw)),
  health: derived(healthOf),
  scope: ({ raw }) => scopeOfPath(text(get(raw, 'spec'), 'itemPath')),
  // The token of 1Password Connect is the operator's own.
  credentialNamespaces: () => [],
  ownsWithoutController: true,
  revive: 'recreate it, or restart the operator: it polls only Secrets that are there',
};

export const onepassword: Plugin = {
  id: 'onepassword',
  aliases: ['1password'],
  claims: "a `OnePasswordItem` of its name, or the operator's annotations on it",
  kinds: [onePasswordItem],
  marks: (secret) =>
    MARKS.some((mark) => Object.hasOwn(secret.annotations, mark)) ||
    ownedByGroup(secret.ownerReferences, GROUP),
  scopeByMark: ({ annotations }) => scopeOfPath(annotations[ITEM_PATH]),
};

/** No generation, no time and no interval stand in the resource; the poll's is a setting of the operator. */
function healthOf(object: KubeObject): Health {
  const ready = conditionOf(object, 'Ready');
  return {
    ...verdictOf(ready),
    generation: 'unreported',
    neverOld: false,
    everSynced: ready?.status === 'True',
  };
}

/** `vaults/<vault>/items/<item>`. */
function scopeOfPath(path = ''): Scope {
  const [vaults, vault, items, item, ...rest] = path.split('/');
  const isPath = vaults === 'vaults' && items === 'items' && rest.length === 0;
  return {
    projects: isPath && vault !== undefined && vault !== '' ? [vault] : [],
    environments: [],
    paths: isPath && item !== undefined && item !== '' ? [item] : [],
  };
}
