/** The declarations of `migrate` and what is below it. */
import type { Command } from 'commander';
import type { CommandDeclaration } from './command.ts';

/** What every migration to Infisical can be told: where values go, how the new resource logs in, and what is to be done. */
export function migrationOptions(command: Command): Command {
  return runOptions(command)
    .option('--project <name>', 'slug or id of the project to copy to')
    .option('--environment <slug>', 'environment to copy to')
    .option('--path <folder>', 'folder below which each Secret gets its own')
    .option('--static', 'make InfisicalStaticSecrets (v1beta1)')
    .option('--infisical-auth <name>', '[namespace/]name of the InfisicalAuth of InfisicalStaticSecrets');
}

/** What is to be done. */
function runOptions(command: Command): Command {
  return command
    .option('--apply', 'do it, one secret at a time, and stop at the first failure')
    .option('--dry-run', 'ask the API server and the store whether they would, and change nothing')
    .option('--rollback', 'go back: the named ones become what they were')
    .option('--finish', 'forget the way back of what is done')
    .option('--timeout <duration>', 'how long to wait for an operator', '2m');
}

const MIGRATE_ESO: CommandDeclaration = {
  name: 'eso',
  about: 'turn ExternalSecrets into InfisicalSecrets, and keep their Secrets',
  examples: [
    ['migrate eso -n floe-jobs', 'the plan: what can be migrated, and what cannot and why'],
    ['migrate eso -A -o json', 'the same of every namespace, for a script'],
    ['migrate eso -n floe-jobs --copy-values --dry-run', 'would everybody take it? nothing changes'],
    ['migrate eso db -n floe-jobs --apply', 'one of them; run it again to go on after a failure'],
    ['migrate eso db -n floe-jobs --rollback', 'and back'],
    ['migrate eso -n floe-jobs --store-only', 'External Secrets stays, and reads Infisical'],
    ['migrate eso -n floe-jobs --finish', 'the records of what is done go'],
  ],
  declare: (command) => {
    command.argument('[names...]', 'ExternalSecrets; default all of the namespace');
    migrationOptions(command)
      .option('--copy-values', 'copy what the Secrets hold to Infisical, where that is not their store')
      .option('--store-only', 'keep the ExternalSecrets, and point them at copies in a store of Infisical')
      .option('--accept-changes', 'go back although the old store has other values than the Secret now');
  },
  run: async (options, { terminal }) => (await import('./migrate-eso.ts')).run(options, terminal),
};

const MIGRATE_SOPS: CommandDeclaration = {
  name: 'sops',
  about: 'move what SOPS has encrypted to Infisical, and keep the Secrets',
  examples: [
    ['migrate sops secrets/', 'the plan, without the key: names of keys stand in the clear'],
    [
      'migrate sops secrets/db.enc.yaml -n floe-jobs --apply',
      'one file; SOPS decrypts it, into memory alone',
    ],
    ['migrate sops db.enc.yaml --name db-credentials --flatten', 'another name; nested keys joined by _'],
    ['migrate sops secrets/db.enc.yaml -n floe-jobs --rollback', 'and back: what was made upstream goes'],
  ],
  declare: (command) => {
    command.argument(
      '<files...>',
      'files of SOPS, or folders to look through: YAML, JSON, dotenv, manifests',
    );
    migrationOptions(command)
      .option('--name <secret>', 'name of the Secret (default: of the file, or in the manifest)')
      .option('--flatten', 'join the names of nested keys by _')
      .option('--sops <program>', 'the program that decrypts', 'sops');
  },
  run: async (options, { terminal }) => (await import('./migrate-sops.ts')).run(options, terminal),
};

const MIGRATE_K8S: CommandDeclaration = {
  name: 'k8s',
  about: 'move what plain Secrets hold to Infisical, and keep the Secrets',
  examples: [
    ['migrate k8s -n floe-jobs', 'the plan: what can be migrated, and what cannot and why'],
    ['migrate k8s db -n floe-jobs --apply', 'one of them; run it again to go on after a failure'],
    ['migrate k8s db -n floe-jobs --rollback', 'and back: the Secret stays, what was made upstream goes'],
  ],
  declare: (command) => {
    command.argument('[names...]', 'Secrets; default all of the namespace that people have made');
    migrationOptions(command);
  },
  run: async (options, { terminal }) => (await import('./migrate-k8s.ts')).run(options, terminal),
};

const MIGRATE_INFISICAL: CommandDeclaration = {
  name: 'infisical',
  about: 'the way out: to External Secrets, or to Vault and its operator',
  examples: [
    ['migrate infisical --to external-secrets --store team -n floe-jobs', 'the plan, which changes nothing'],
    ['migrate infisical db --to external-secrets --store ClusterSecretStore/team --apply', 'one of them'],
    ['migrate infisical db --to vault --path floe -n floe-jobs --apply', 'its values go to Vault'],
    ['migrate infisical db -n floe-jobs --rollback', 'and back'],
  ],
  declare: (command) => {
    command.argument('[names...]', 'InfisicalSecrets, InfisicalStaticSecrets; default all of the namespace');
    runOptions(
      command
        .option('--to <operator>', 'who takes the Secrets over: external-secrets or vault')
        .option(
          '--store <name>',
          '[ClusterSecretStore/]name of a store that reads the same of Infisical, or Vault',
        )
        .option('--mount <name>', "KV mount of Vault that values are copied to (default: upstream.vault's)")
        .option('--path <path>', 'path in it below which each Secret gets <namespace>/<secret>')
        .option('--vault-auth <name>', "[namespace/]name of the VaultAuth (default: the operator's own)")
        .option('--infisical-auth <name>', '[namespace/]name of the InfisicalAuth that the way back may use')
        .option('--accept-changes', 'go back although Infisical has other values than the Secret now'),
    );
  },
  run: async (options, { terminal }) => (await import('./migrate-infisical.ts')).run(options, terminal),
};

export const MIGRATE_COMMAND: CommandDeclaration = {
  name: 'migrate',
  about: 'move secrets to Infisical, one at a time and with a way back',
  examples: [
    ['migrate eso -n floe-jobs', 'what would become of ExternalSecrets'],
    ['migrate sops secrets/', 'of files that SOPS has encrypted'],
    ['migrate k8s -n floe-jobs', 'and of plain Secrets'],
  ],
  commands: [MIGRATE_ESO, MIGRATE_SOPS, MIGRATE_K8S, MIGRATE_INFISICAL],
};
