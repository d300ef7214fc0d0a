/**
 * `npm run bench -- reload [--quick] [--mode TEXT]`, after `npm run build`: what watching for rotations costs while nothing happens,
 * and how soon a changed Secret restarts its workload: 2,000 workloads with five Secrets each, in both ways to read
 * Secrets. The quiet window is 0 here, and so is the time for which Secrets are remembered; the longer of both comes on
 * top.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { KeyPair } from '../tools/certificates.ts';
import { makeAuthority } from '../tools/certificates.ts';
import { median } from './alone.ts';
import type { ReloadApi } from './reload-api.ts';
import { startReloadApi } from './reload-api.ts';
import type { MeasuredWebhook } from './servers.ts';
import { startWebhook, writeFiles } from './servers.ts';

interface Mode {
  readonly name: string;
  /** How many of the workloads asked for restarts. */
  readonly asking: number;
  readonly flags: readonly string[];
  /** How many workloads' Secrets are rotated, one after the other over `over` milliseconds. */
  readonly rotations: number;
  readonly over: number;
}

const WORKLOADS = 2_000;
const SECRETS_EACH = 5;
const PACE = ['--reload-quiet', '0s', '--secrets-cache-ttl', '0s', '--reload-max-per-minute', '100000'];
const MODES: readonly Mode[] = [
  // The first look at everything is let through at once; afterwards nothing but what is told is looked at.
  {
    name: 'watch, 10,000 Secrets in use',
    asking: WORKLOADS,
    flags: ['--secrets-access', 'watch', '--reload-qps', '5000'],
    rotations: 50,
    over: 5_000,
  },
  { name: 'get, 400 Secrets in use', asking: 80, flags: [], rotations: 80, over: 20_000 },
  { name: 'get, 10,000 Secrets in use', asking: WORKLOADS, flags: [], rotations: 0, over: 0 },
];

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    /** Only the modes whose names have this in them: one takes about a minute. */
    mode: { type: 'string', default: '' },
  },
});

const work = mkdtempSync(join(tmpdir(), 'floe-bench-'));
try {
  const authority = await makeAuthority('floe bench');
  const pair = await authority.issue({ names: ['localhost'], ips: ['127.0.0.1'], days: 1 });
  writeFiles(work, pair, authority.certPem);
  await benchReload(pair, values.quick ? 5 : 20);
} finally {
  rmSync(work, { recursive: true, force: true });
}

async function benchReload(pair: KeyPair, idleSeconds: number): Promise<void> {
  console.log(
    '\nreload: 2,000 workloads, 10,000 Secrets; idle cost, and milliseconds from Secret to restart\n',
  );
  console.log(line(['mode', 'CPU %', 'requests/s', 'MB', 'interval s', 'p50', 'max']));
  for (const mode of MODES.filter(({ name }) => name.includes(values.mode))) {
    const api = await startReloadApi(pair, {
      workloads: WORKLOADS,
      asking: mode.asking,
      secretsEach: SECRETS_EACH,
    });
    const webhook = await startWebhook(work, api.url, [...PACE, ...mode.flags]);
    try {
      console.log(line([mode.name, ...(await measure(mode, webhook, { api, idleSeconds }))]));
    } finally {
      await webhook.stop();
      api.close();
    }
  }
}

interface Measuring {
  readonly api: ReloadApi;
  readonly idleSeconds: number;
}

async function measure(
  mode: Mode,
  webhook: MeasuredWebhook,
  { api, idleSeconds }: Measuring,
): Promise<readonly string[]> {
  await settled(mode, webhook);
  const [before, requests] = [await webhook.usage(), api.requests];
  await sleep(idleSeconds * 1000);
  const after = await webhook.usage();
  const perSecond = (api.requests - requests) / idleSeconds;
  const cpu = (after.cpu - before.cpu) / (idleSeconds * 10_000);
  const latencies = await rotate(mode, api);
  return [
    cpu.toFixed(2),
    perSecond.toFixed(1),
    (after.rss / 1024 / 1024).toFixed(0),
    (await metric(webhook, 'floe_secrets_reload_poll_interval_seconds')).toFixed(0),
    latencies.length === 0 ? '-' : median(latencies).toFixed(0),
    latencies.length === 0 ? '-' : Math.max(...latencies).toFixed(0),
  ];
}

/** Until every Secret that counts has been looked at once; where that takes minutes, until it is under way. */
async function settled({ asking, rotations }: Mode, webhook: MeasuredWebhook): Promise<void> {
  const wanted = rotations === 0 ? 200 : asking * SECRETS_EACH;
  while ((await metric(webhook, 'floe_secrets_reload_looks_total{result="first"}')) < wanted)
    await sleep(200);
  await sleep(2_000);
}

async function rotate({ rotations, over }: Mode, api: ReloadApi): Promise<readonly number[]> {
  const latencies: Promise<number>[] = [];
  for (let index = 0; index < rotations; index += 1) {
    // Not in the order in which they are looked at: 37 has no divisor in common with any number here.
    latencies.push(api.rotate((index * 37) % rotations));
    await sleep(over / rotations);
  }
  return Promise.all(latencies);
}

async function metric({ opsPort }: MeasuredWebhook, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
  const found = text.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(found?.slice(name.length + 1) ?? 0);
}

function line(cells: readonly string[]): string {
  return cells.map((cell, index) => (index === 0 ? cell.padEnd(30) : cell.padStart(11))).join('');
}
