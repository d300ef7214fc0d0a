/** The floor: a bare node:https handler that parses the body and answers a constant patch. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

const [certDir = '.'] = process.argv.slice(2);
const patch = Buffer.from(
  JSON.stringify([
    { op: 'add', path: '/spec/containers/0/envFrom', value: [{ secretRef: { name: 'secret-7' } }] },
    { op: 'add', path: '/metadata/annotations/secrets.floe.dev~1injected', value: 'secret-7' },
    { op: 'add', path: '/metadata/annotations/secrets.floe.dev~1versions', value: 'secret-7=1' },
  ]),
).toString('base64');

const server = createServer(
  {
    cert: readFileSync(`${certDir}/tls.crt`),
    key: readFileSync(`${certDir}/tls.key`),
    keepAliveTimeout: 120_000,
  },
  (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { request: asked } = JSON.parse(Buffer.concat(chunks).toString()) as { request: { uid: string } };
      const body = JSON.stringify({
        apiVersion: 'admission.k8s.io/v1',
        kind: 'AdmissionReview',
        response: { uid: asked.uid, allowed: true, patchType: 'JSONPatch', patch },
      });
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      });
      response.end(body);
    });
  },
);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' ? address?.port : undefined });
});
