/** Acme's operator: an AcmeSecret writes the Secret that it names. */
import { dig, get, text } from '../../src/kube/json.ts';
import { namespaceOf } from '../../src/kube/object.ts';
import { conditionOf, generationOfVerdict, verdictOf } from '../../src/plugins/conditions.ts';
import type { Plugin, SyncKind } from '../../src/plugins/plugin.ts';
import { ownedByGroup } from '../../src/plugins/plugin.ts';
import { target, texts } from '../../src/plugins/spec.ts';

const GROUP = 'acme.example.com';

const acmeSecret: SyncKind = {
  resource: { group: GROUP, version: 'v1', kind: 'AcmeSecret', plural: 'acmesecrets', namespaced: true },
  targets: ({ raw }) => target(text(get(raw, 'spec'), 'secretName'), namespaceOf(raw)),
  health(object) {
    const ready = conditionOf(object, 'Ready');
    const said = verdictOf(ready);
    const generation = generationOfVerdict(object, ready?.observedGeneration);
    return { ...said, generation, neverOld: false, everSynced: said.verdict === 'ok' };
  },
  scope: ({ raw }) => ({
    projects: texts([dig(raw, 'spec', 'vault')]),
    environments: [],
    paths: [],
  }),
  credentialNamespaces: () => [],
  revive: 'change a label of it: the operator then writes the Secret again',
};

export const acme: Plugin = {
  id: 'acme',
  aliases: [],
  claims: 'an `AcmeSecret` targets it',
  kinds: [acmeSecret],
  marks: (secret) => ownedByGroup(secret.ownerReferences, GROUP),
};
