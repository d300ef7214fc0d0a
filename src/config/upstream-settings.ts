/** The lines of the settings' table for secret stores: what `create`, `validate --upstream` and migrations ask. */

const INFISICAL_LOGINS = ['auto', 'universal', 'kubernetes', 'oidc', 'token'] as const;
const VAULT_LOGINS = ['auto', 'kubernetes', 'approle', 'token'] as const;

/** No line holds a credential: a file is named, or a variable of its own is read. */
export const UPSTREAM_SETTINGS = {
  timeout: { kind: 'duration', default: '25s', about: 'how long one call of a secret store may take' },
  envFallback: {
    kind: 'switch',
    default: false,
    about: 'read a variable of the same name where a store cannot be reached',
  },
  infisical: {
    hostAPI: { kind: 'text', default: 'https://app.infisical.com/api', about: 'address of Infisical' },
    auth: { kind: 'choice', values: INFISICAL_LOGINS, default: 'auto', about: 'how to log in to Infisical' },
    identityId: { kind: 'text', default: '', about: 'machine identity for Kubernetes and OIDC auth' },
    clientIdFile: { kind: 'text', default: '', about: 'file for INFISICAL_CLIENT_ID' },
    clientSecretFile: { kind: 'text', default: '', about: 'file for INFISICAL_CLIENT_SECRET' },
    tokenFile: { kind: 'text', default: '', about: 'file for INFISICAL_TOKEN' },
    jwtFile: {
      kind: 'text',
      default: '',
      about: "file with the token to log in with; default: the pod's own",
    },
    caFile: { kind: 'text', default: '', about: 'PEM file of the CA of Infisical' },
    project: { kind: 'text', default: '', about: 'slug or id of the project' },
    environment: { kind: 'text', default: '', about: 'slug of the environment' },
    path: { kind: 'text', default: '/', about: 'folder below which secrets are created' },
    credentials: {
      kind: 'text',
      default: '',
      about:
        "`[namespace/]name` of the Secret with the operator's machine identity, for new InfisicalSecrets",
    },
    serviceAccount: {
      kind: 'text',
      default: '',
      about: 'the same by Kubernetes auth: `[namespace/]name` of the service account of identityId',
    },
  },
  vault: {
    address: { kind: 'text', default: '', about: 'address of Vault' },
    namespace: { kind: 'text', default: '', about: 'namespace of Vault Enterprise' },
    auth: { kind: 'choice', values: VAULT_LOGINS, default: 'auto', about: 'how to log in to Vault' },
    authMount: { kind: 'text', default: '', about: 'mount of the login; default: kubernetes or approle' },
    role: { kind: 'text', default: '', about: 'role of Kubernetes auth' },
    jwtFile: {
      kind: 'text',
      default: '',
      about: "file with the token to log in with; default: the pod's own",
    },
    tokenFile: { kind: 'text', default: '', about: 'file for VAULT_TOKEN' },
    roleIdFile: { kind: 'text', default: '', about: 'file for VAULT_ROLE_ID' },
    secretIdFile: { kind: 'text', default: '', about: 'file for VAULT_SECRET_ID' },
    caFile: { kind: 'text', default: '', about: 'PEM file of the CA of Vault' },
    mount: { kind: 'text', default: 'secret', about: 'KV mount' },
    path: { kind: 'text', default: '', about: 'path below which secrets stand' },
  },
} as const;
