// A development CA and a serving certificate of it, for `floe-secrets serve --cert-dir certs` on one's own machine:
//
//   node certs/make.ts [DIRECTORY] [NAME or IP…]
//
// Writes ca.crt, tls.crt and tls.key, by default into this folder, where git ignores them. The CA's own key is
// never written: to trust another certificate, make all three anew. Clusters have `certificates.mode: self`.
import { mkdirSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeAuthority } from '../tools/certificates.ts';

const DAYS = 30;
/** How an API server calls the webhook where it is installed with every default. */
const SERVICE = 'floe-secrets-webhook.floe-secrets-system.svc';

const [directory, ...more] = process.argv.slice(2);
if (directory?.startsWith('-') === true) {
  process.stderr.write('Usage: node certs/make.ts [DIRECTORY] [NAME or IP…]\n');
  process.exit(directory === '-h' || directory === '--help' ? 0 : 2);
}
const place = directory === undefined ? fileURLToPath(new URL('.', import.meta.url)) : resolve(directory);
const authority = await makeAuthority('floe-secrets development', DAYS);
const { certPem, keyPem } = await authority.issue({
  names: [SERVICE, 'localhost', ...more.filter((name) => isIP(name) === 0)],
  ips: ['127.0.0.1', '::1', ...more.filter((name) => isIP(name) !== 0)],
  days: DAYS,
});
mkdirSync(place, { recursive: true });
writeFileSync(join(place, 'ca.crt'), authority.certPem);
writeFileSync(join(place, 'tls.crt'), certPem);
writeFileSync(join(place, 'tls.key'), keyPem, { mode: 0o600 });
const shown = relative('', place) || '.';
process.stdout.write(
  `ca.crt, tls.crt and tls.key are in ${shown}, good for ${DAYS} days.\n\n` +
    `  floe-secrets serve --cert-dir ${shown} --world deploy/examples/floe\n` +
    `  curl --cacert ${join(shown, 'ca.crt')} -H 'content-type: application/json' --data @review.json https://localhost:8443/validate\n`,
);
