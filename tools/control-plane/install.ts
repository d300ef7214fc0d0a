import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheDirectory } from './binaries.ts';
import type { Environment } from './binaries.ts';
import { identify, isAlive } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';
import { createWorkspace, removeWorkspace, sweep } from './workspace.ts';

export type Log = (line: string) => void;

export interface Installation<T> {
  /** The directory's name in the cache, with the version and the platform in it. */
  readonly name: string;
  readonly env: Environment;
  readonly log: Log;
  /** Fills `staging`; whatever else it needs goes into `scratch`, which is removed. */
  readonly fill: (staging: string, scratch: string) => Promise<void>;
  /** The programs in a directory, or undefined where they are not all there. */
  readonly find: (directory: string) => T | undefined;
}

/** Puts programs into the cache, all or nothing, once however many processes ask at the same time. */
export async function install<T>({ name, env, log, fill, find }: Installation<T>): Promise<T> {
  const cache = cacheDirectory(env);
  const final = join(cache, name);
  mkdirSync(cache, { recursive: true });
  const unlock = await lock(`${final}.lock`, log);
  try {
    const already = find(final);
    if (already !== undefined) return already;
    sweep(cache);
    await fillAndRename(cache, final, fill);
    const installed = find(final);
    if (installed === undefined) throw new Error(`${final} does not hold what was installed`);
    return installed;
  } finally {
    unlock();
  }
}

async function fillAndRename(
  cache: string,
  final: string,
  fill: Installation<unknown>['fill'],
): Promise<void> {
  const scratch = createWorkspace(cache);
  try {
    const staging = join(scratch, 'new');
    mkdirSync(staging);
    await fill(staging, scratch);
    // What is there now is not complete, or it would have been used.
    rmSync(final, { recursive: true, force: true });
    renameSync(staging, final);
  } finally {
    removeWorkspace(scratch);
  }
}

async function lock(file: string, log: Log): Promise<() => void> {
  const mine = `${file}.${process.pid}-${randomUUID()}`;
  for (let told = false; ; await sleep(500)) {
    try {
      writeFileSync(mine, JSON.stringify(identify(process.pid)));
      // A link, because it appears with its content: an empty lock would look like a broken one.
      linkSync(mine, file);
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (!isTaken(error)) throw error;
    } finally {
      rmSync(mine, { force: true });
    }
    const holder = readHolder(file);
    if (holder === undefined || !isAlive(holder)) rmSync(file, { force: true });
    else if (!told) log(`process ${holder.pid} is installing the control plane; waiting for it`);
    told = true;
  }
}

function readHolder(file: string): ProcessIdentity | undefined {
  try {
    const holder: ProcessIdentity = JSON.parse(readFileSync(file, 'utf8'));
    return holder;
  } catch {
    return undefined;
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}
