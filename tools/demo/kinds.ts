import type { JsonObject } from '../../src/kube/json.ts';
import { get, text } from '../../src/kube/json.ts';
import { groupOf, nameOf, namespaceOf } from '../../src/kube/object.ts';

/** A kind that the demo applies, and the reviews that the webhook asks for it. */
export interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly doors: readonly ('mutate' | 'validate')[];
}

const core = { group: '', version: 'v1', namespaced: true, doors: [] } as const;

export const KINDS: readonly Kind[] = [
  { ...core, kind: 'Namespace', plural: 'namespaces', namespaced: false },
  { ...core, kind: 'Secret', plural: 'secrets' },
  { ...core, kind: 'Pod', plural: 'pods', doors: ['mutate', 'validate'] },
  { ...core, group: 'batch', kind: 'Job', plural: 'jobs', doors: ['validate'] },
  { ...core, group: 'apps', kind: 'Deployment', plural: 'deployments', doors: ['validate'] },
  {
    ...core,
    group: 'secrets.infisical.com',
    version: 'v1alpha1',
    kind: 'InfisicalSecret',
    plural: 'infisicalsecrets',
    doors: ['validate'],
  },
];

/** The kind of a manifest. Throws where the demo does not know it. */
export function kindOf(raw: JsonObject): Kind {
  const group = groupOf(text(raw, 'apiVersion') ?? '');
  const kind = KINDS.find((one) => one.group === group && one.kind === get(raw, 'kind'));
  if (kind === undefined) throw new Error(`the demo has no use for ${group}/${text(raw, 'kind') ?? '?'}`);
  return kind;
}

/** 'infisicalsecret.secrets.infisical.com/snowflake', as kubectl names what it applied. */
export function titleOf(raw: JsonObject): string {
  const { kind, group } = kindOf(raw);
  return `${kind.toLowerCase()}${group === '' ? '' : `.${group}`}/${nameOf(raw)}`;
}

/** Where the API server has the objects of this kind and namespace. */
export function collectionPath(raw: JsonObject): string {
  const { group, version, plural, namespaced } = kindOf(raw);
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  return `${root}${namespaced ? `/namespaces/${namespaceOf(raw)}` : ''}/${plural}`;
}
