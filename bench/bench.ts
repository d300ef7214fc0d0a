/**
 * `npm run bench`: what README and CHANGELOG quote. `review()` alone, HTTPS reviews beside a bare node:https
 * handler in one run (ratios, for machines are noisy), memory and start.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeAuthority } from '../tools/certificates.ts';
import { measureAlone, median } from './alone.ts';
import type { Input } from './inputs.ts';
import { INPUTS, admissionReview } from './inputs.ts';
import { runLoad } from './load.ts';
import type { Measured } from './servers.ts';
import { startBare, startWebhook, writeFiles } from './servers.ts';
import { startStubApi } from './stub-api.ts';

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    quick: { type: 'boolean' },
    requests: { type: 'string', default: '8000' },
    rounds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '8' },
    input: { type: 'string', default: '' },
  },
});
if (values.help === true) {
  console.log('npm run bench -- [--quick] [--requests 8000] [--rounds 5] [--connections 8] [--input TEXT]');
  process.exit(0);
}
const rounds = values.quick === true ? 2 : Number(values.rounds);
const requests = values.quick === true ? 1500 : Number(values.requests);
const connections = Number(values.connections);

const work = mkdtempSync(join(tmpdir(), 'floe-bench-'));
try {
  if (values.input === '') printAlone();
  const authority = await makeAuthority('floe bench');
  const pair = await authority.issue({ names: ['localhost'], ips: ['127.0.0.1'], days: 1 });
  writeFiles(work, pair, authority.certPem);
  await benchHttps(authority.certPem);
  await benchMemory();
  async function benchHttps(ca: string): Promise<void> {
    const api = await startStubApi(pair, { secrets: 0, syncResources: 0 });
    const webhook = await startWebhook(work, api.url);
    const bare = await startBare(work);
    try {
      await compare(webhook, bare, ca);
      console.log(
        `\nready ${webhook.readyAfter} ms after start, ${megabytes((await webhook.usage()).rss)} MB after the load`,
      );
    } finally {
      await Promise.all([webhook.stop(), bare.stop()]);
      api.close();
    }
  }
  async function benchMemory(): Promise<void> {
    const api = await startStubApi(pair, { secrets: 10_000, syncResources: 2_000 });
    const webhook = await startWebhook(work, api.url, ['--secrets-access', 'watch']);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const { rss } = await webhook.usage();
    console.log(
      `watch, 10,000 Secrets and 2,000 sync resources: ready after ${webhook.readyAfter} ms, ${megabytes(rss)} MB resident`,
    );
    await webhook.stop();
    api.close();
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}

function printAlone(): void {
  console.log('review() alone, µs (median of 7 rounds)\n');
  console.log(line(['input', 'Secrets', 'mutate', 'validate']));
  for (const row of measureAlone(values.quick === true ? 2000 : 20_000)) {
    console.log(line([row.input, String(row.secrets), row.mutate.toFixed(1), row.validate.toFixed(1)]));
  }
}

/** Rounds alternate between both servers, so that the machine's mood hits both. */
async function compare(webhook: Measured, bare: Measured, ca: string): Promise<void> {
  console.log(
    `\nHTTPS reviews, ${connections} connections, ${rounds} rounds of ${requests}; CPU of the server's process\n`,
  );
  console.log(line(['input', 'CPU µs', 'bare', 'ratio', 'reviews/s', 'p50 µs', 'p99 µs']));
  for (const input of INPUTS.filter(({ name }) => name.includes(values.input))) {
    const results: { readonly ours: Sample; readonly floor: Sample }[] = [];
    await one(webhook, input, ca, 0);
    await one(bare, input, ca, 0);
    for (let round = 1; round <= rounds; round++) {
      results.push({ ours: await one(webhook, input, ca, round), floor: await one(bare, input, ca, round) });
    }
    const of = (pick: (result: (typeof results)[number]) => number): number => median(results.map(pick));
    console.log(
      line([
        input.name,
        of(({ ours }) => ours.cpu).toFixed(0),
        of(({ floor }) => floor.cpu).toFixed(0),
        of(({ ours, floor }) => ours.cpu / floor.cpu).toFixed(2),
        of(({ ours }) => ours.rate).toFixed(0),
        of(({ ours }) => ours.p50).toFixed(0),
        of(({ ours }) => ours.p99).toFixed(0),
      ]),
    );
  }
}

/** CPU and latencies in microseconds. */
interface Sample {
  readonly cpu: number;
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
}

async function one(server: Measured, input: Input, ca: string, round: number): Promise<Sample> {
  const bodies = new Map<number, string>();
  const cold = input.name === 'cold Secret';
  // Made before the clock runs. Each cold request names a Secret that nobody has asked for.
  for (let index = 0; index < (cold ? requests : 1); index++) {
    bodies.set(
      index,
      admissionReview(input.pod(round * requests + index), '705ab4f5-6393-11e8-b7cc-42010a800002'),
    );
  }
  const before = await server.usage();
  const load = { connections, requests, body: (index: number) => bodies.get(cold ? index : 0) ?? '' };
  const result = await runLoad({ port: server.port, ca, path: '/mutate' }, load);
  const after = await server.usage();
  const cpu = (after.cpu - before.cpu) / result.requests;
  return { cpu, rate: result.requests / result.seconds, p50: result.p50, p99: result.p99 };
}

function line(cells: readonly string[]): string {
  return cells.map((cell, index) => (index === 0 ? cell.padEnd(28) : cell.padStart(11))).join('');
}

function megabytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(0);
}
