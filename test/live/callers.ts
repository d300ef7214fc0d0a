/** An API server that shows webhooks a client certificate, configured as docs/api-server-identity.md says it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeAuthority } from '../../tools/certificates.ts';
import type { KeyPair } from '../../tools/certificates.ts';
import { ROOT } from '../sources.ts';
import { SERVICE_NAME } from '../stories/webhook-process.ts';

export interface Callers {
  /** Path of the CA's PEM file, for `webhook.clientCA`. */
  readonly ca: string;
  /** What the API server shows. */
  readonly client: KeyPair;
  /** Flags of an API server that finds the webhook at this port. */
  flags(port: number): readonly string[];
}

const DOCUMENTED = '/etc/kubernetes/admission';

export async function makeCallers(): Promise<Callers> {
  const directory = mkdtempSync(join(tmpdir(), 'floe-callers-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const authority = await makeAuthority('API servers');
  const client = await authority.issue({ names: ['kube-apiserver'], usage: 'client' });
  const write = (name: string, content: string): string => {
    writeFileSync(join(directory, name), content, { mode: 0o600 });
    return join(directory, name);
  };
  write('client.crt', client.certPem);
  write('client.key', client.keyPem);
  return {
    ca: write('ca.crt', authority.certPem),
    client,
    flags: (port) => {
      for (const [name, content] of documentedFiles()) {
        const here = content
          .replaceAll(DOCUMENTED, directory)
          // As the page says: with another port than 443 the user's name has it.
          .replaceAll(`name: ${SERVICE_NAME}`, `name: ${SERVICE_NAME}:${port}`);
        write(name, here);
      }
      return [`--admission-control-config-file=${join(directory, 'configuration.yaml')}`];
    },
  };
}

/** The page's files, by the name in the comment that each begins with. */
function documentedFiles(): readonly (readonly [string, string])[] {
  const page = readFileSync(join(ROOT, 'docs/api-server-identity.md'), 'utf8');
  const blocks = [...page.matchAll(/^ {3}```yaml\n(.*?)^ {3}```/gms)].map(([, block = '']) =>
    block.replaceAll(/^ {3}/gm, ''),
  );
  return blocks.map((block) => [/^# \S+\/(\S+\.yaml)/.exec(block)?.[1] ?? '', block] as const);
}
