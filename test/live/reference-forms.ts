/** Every form in which a pod uses a Secret: what is injected, and what its template names itself. */

export interface ReferenceForm {
  readonly template?: Readonly<Record<string, string>>;
  readonly pod?: object;
}

const container = (more: object): object => ({ name: 'dbt', image: 'dbt', ...more });
const from = (name: string): object => ({ envFrom: [{ secretRef: { name } }] });
const annotated = (key: string, value: string): ReferenceForm => ({
  template: { [`secrets.floe.dev/${key}`]: value },
});

function volume(source: object): ReferenceForm {
  const volumeMounts = [{ name: 'creds', mountPath: '/creds' }];
  return { pod: { containers: [container({ volumeMounts })], volumes: [{ name: 'creds', ...source }] } };
}

/** By a name that can be a workload's: the form of a workload that uses this Secret, which has the key PASSWORD. */
export const FORMS: Readonly<Record<string, (secret: string) => ReferenceForm>> = {
  inject: (secret) => annotated('inject', secret),
  'inject-env': (secret) => annotated('env', `DB_PASSWORD=${secret}/PASSWORD`),
  'inject-files': (secret) => annotated('files', secret),
  'env-from': (secret) => ({ pod: { containers: [container(from(secret))] } }),
  env: (secret) => {
    const valueFrom = { secretKeyRef: { name: secret, key: 'PASSWORD' } };
    return { pod: { containers: [container({ env: [{ name: 'DB_PASSWORD', valueFrom }] })] } };
  },
  volume: (secret) => volume({ secret: { secretName: secret } }),
  projected: (secret) => volume({ projected: { sources: [{ secret: { name: secret } }] } }),
  init: (secret) => ({
    pod: { containers: [container({})], initContainers: [{ name: 'first', image: 'dbt', ...from(secret) }] },
  }),
};
