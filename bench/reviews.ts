/**
 * `npm run bench`: `review()` alone, HTTPS reviews beside a bare node:https handler in one run, memory and start.
 * Both servers run with the same runtime flags, get the same bodies over connections that stay open, and take turns
 * of some tenths of a second: what a busy machine does to one it does to the other, so the median of the turns' ratios
 * stands still where the times do not.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeAuthority } from '../tools/certificates.ts';
import { measureAlone, median, quantile } from './alone.ts';
import type { Input } from './inputs.ts';
import { INPUTS, SYNCED, admissionReview } from './inputs.ts';
import { openConnections } from './load.ts';
import type { Measured } from './servers.ts';
import { startBare, startWebhook, writeFiles } from './servers.ts';
import { startStubApi } from './stub-api.ts';

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    quick: { type: 'boolean' },
    requests: { type: 'string', default: '600' },
    rounds: { type: 'string', default: '40' },
    warmup: { type: 'string', default: '20000' },
    connections: { type: 'string', default: '8' },
    input: { type: 'string', default: '' },
  },
});
if (values.help === true) {
  console.log(
    'npm run bench -- [reviews] [--quick] [--requests 600] [--rounds 40] [--warmup 20000] [--connections 8] [--input TEXT]',
  );
  process.exit(0);
}
const rounds = values.quick === true ? 8 : Number(values.rounds);
const requests = Number(values.requests);
// Until the compiler rests: it takes a quarter of the CPU of the first ten thousand reviews.
const warmup = values.quick === true ? 3000 : Number(values.warmup);
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
    const api = await startStubApi(pair, { secrets: 0, syncResources: SYNCED });
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
  for (const row of measureAlone(values.quick === true ? 1000 : 5000)) {
    console.log(line([row.input, String(row.secrets), row.mutate.toFixed(1), row.validate.toFixed(1)]));
  }
}

async function compare(webhook: Measured, bare: Measured, ca: string): Promise<void> {
  console.log(
    `\nHTTPS reviews, ${connections} connections, ${rounds} turns of ${requests} each; CPU of the server's process, medians\n`,
  );
  console.log(line(['input', 'CPU µs', 'bare', 'ratio', 'its middle half', 'reviews/s', 'p50 µs', 'p99 µs']));
  for (const input of INPUTS.filter(({ name }) => name.includes(values.input))) {
    const results: { readonly ours: Sample; readonly floor: Sample }[] = [];
    const turn = async (server: Measured, index: number, count: number): Promise<Sample> =>
      one(server, input, ca, { first: index * requests + warmup, count });
    await one(webhook, input, ca, { first: 0, count: warmup });
    await one(bare, input, ca, { first: 0, count: warmup });
    for (let index = 0; index < rounds; index++) {
      // Who goes first changes with each turn.
      const early = index % 2 === 0 ? await turn(webhook, index, requests) : undefined;
      const floor = await turn(bare, index, requests);
      results.push({ ours: early ?? (await turn(webhook, index, requests)), floor });
    }
    const of = (pick: (result: (typeof results)[number]) => number): number => median(results.map(pick));
    const ratios = results.map(({ ours, floor }) => ours.cpu / floor.cpu);
    console.log(
      line([
        input.name,
        of(({ ours }) => ours.cpu).toFixed(0),
        of(({ floor }) => floor.cpu).toFixed(0),
        median(ratios).toFixed(2),
        `${quantile(ratios, 0.25).toFixed(2)} – ${quantile(ratios, 0.75).toFixed(2)}`,
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

/** Which reviews of an input are sent. */
interface Span {
  readonly first: number;
  readonly count: number;
}

async function one(server: Measured, input: Input, ca: string, { first, count }: Span): Promise<Sample> {
  // Made before the clock runs. Each cold request names a Secret that nobody has asked for.
  const bodies = Array.from({ length: input.isCold === true ? count : 1 }, (_, index) =>
    admissionReview(input.pod(first + index), '705ab4f5-6393-11e8-b7cc-42010a800002'),
  );
  const body = (index: number): string => bodies[index % bodies.length] ?? '';
  const target = { port: server.port, ca, path: input.path ?? '/mutate' };
  // An API server's connections live long: their handshakes are no part of a review.
  const open = await openConnections(target, connections);
  const before = await server.usage();
  const result = await open.run({ requests: count, body });
  const after = await server.usage();
  open.close();
  const cpu = (after.cpu - before.cpu) / result.requests;
  return { cpu, rate: result.requests / result.seconds, p50: result.p50, p99: result.p99 };
}

function line(cells: readonly string[]): string {
  return cells
    .map((cell, index) => (index === 0 ? cell.padEnd(34) : cell.padStart(index === 4 ? 17 : 11)))
    .join('');
}

function megabytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(0);
}
