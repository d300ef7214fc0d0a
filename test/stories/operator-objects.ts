/** Resources of the smaller operators, with a status as each writes it: Doppler, 1Password, SOPS, sealed-secrets. */
import { list, textOf } from './manifest.ts';
import type { Manifest, Short } from './manifest.ts';
import { condition, resource, statusOf, targetOf } from './status.ts';
import type { Maker } from './status.ts';

export const OPERATOR_OBJECTS: Readonly<Record<string, Maker>> = {
  DopplerSecret: (short) => {
    const { name, namespace } = targetOf(short['target'], short);
    const home = targetOf('none', short).namespace;
    const { project = 'data-platform', environment = 'dev' } = short;
    return made('DopplerSecret', short, dopplerStatus, {
      ...(project === null ? {} : { project, config: environment }),
      tokenSecret: { name: 'doppler-token', namespace: short['credentials'] ?? home },
      managedSecret: { name, namespace },
      resyncSeconds: 60,
    });
  },
  OnePasswordItem: (short) =>
    made('OnePasswordItem', short, readyStatus, {
      itemPath: `vaults/${textOf(short['project'], 'data-platform')}/items/${String(short['name'])}`,
    }),
  SopsSecret: (short) =>
    made('SopsSecret', short, sopsStatus, {
      secretTemplates: list(short['targets'] ?? [short['target'] ?? CIPHERTEXT]).map((name) => ({ name })),
    }),
  SealedSecret: (short) =>
    made('SealedSecret', { generation: 1, ...short }, sealedStatus, { encryptedData: { PASSWORD: 'AgBy' } }),
};

/** SOPS encrypts what stands under a key that ends in "Templates", the names too. */
const CIPHERTEXT = 'ENC[AES256_GCM,data:b3Bh,iv:cXVl,tag:bmFt,type:str]';

function made(
  kind: string,
  short: Short,
  words: (word: string, short: Short) => Manifest,
  spec: Manifest,
): Manifest {
  const status = statusOf(short, words);
  return resource(kind, short, { spec, ...(status && { status }) });
}

/** A failure stops the reloader too, whose condition says nothing new. */
function dopplerStatus(word: string, { message, since }: Short): Manifest {
  const good = word === 'ready';
  const text = textOf(message, good ? 'Controller is continuously syncing secrets' : 'Invalid service token');
  const one = (type: string, reason: string): Manifest =>
    condition(`secrets.doppler.com/${type}`, good, { reason, message: text, since });
  return {
    conditions: [
      one('SecretSyncReady', good ? 'OK' : 'Error'),
      one('DeploymentReloadReady', good ? 'OK' : 'Stopped'),
    ],
  };
}

/** There is no reason, and a message only of a failure. */
function readyStatus(word: string, { message, since }: Short): Manifest {
  const good = word === 'ready';
  return {
    conditions: [
      condition('Ready', good, {
        ...(good ? {} : { message: textOf(message, 'failed to retrieve item') }),
        since,
      }),
    ],
  };
}

/** One message is all of it: `ready` is Healthy, any other word stands as it is. */
function sopsStatus(word: string, { message }: Short): Manifest {
  return { message: word === 'ready' ? 'Healthy' : textOf(message, 'Decryption error') };
}

function sealedStatus(word: string, { message, observed, since }: Short): Manifest {
  const good = word === 'ready';
  const words = good ? {} : { message: textOf(message, 'no key could decrypt secret') };
  return {
    observedGeneration: Number(observed ?? 1),
    conditions: [condition('Synced', good, { ...words, since })],
  };
}
