import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { EnvHttpProxyAgent, fetch } from 'undici';
import type { Platform } from './binaries.ts';
import type { Log } from './install.ts';

/** An archive of etcd and kube-apiserver as the Kubernetes project publishes them for envtest. */
export interface Archive {
  readonly version: string;
  readonly url: string;
  readonly sha512: string;
}

/** A sum that does not match ends the search: falling through would hide an attack or a broken mirror. */
export class ChecksumMismatch extends Error {
  override readonly name = 'ChecksumMismatch';
}

const VERSION = '1.36.2';
const RELEASES = 'https://github.com/kubernetes-sigs/controller-tools/releases/download';
const SILENCE_LIMIT = 15_000;

// From envtest-releases.yaml in kubernetes-sigs/controller-tools. Pinned here, so that who can change that
// file cannot change what runs on our machines.
const SHA512: Readonly<Record<string, string>> = {
  'darwin-amd64':
    'b4fe9f973cd1992e3880f8b230ed32c0c243b83371591e3e3315f4404df2cdbef8ee94eeb9bb245b7e5feb987d5c4a76c43e0877654ab73f00d7bbc2b9984514',
  'darwin-arm64':
    '9278f9e5af556b2f1f2d139769c1f0d717c7b4426917fdebdba898bcb725a916e4910d6160886194ff9be9589ea7c5c32c2b8ae0754703874b7c8ba8ddfc41ce',
  'linux-amd64':
    'ea743186c8a799f5cf8faf16969f86189d003cb7d130e0ac4b58789f1e5748dcf30ebe91c837a10d5ac415383da3e10b9e64d65785c938c23e739781cfb76f08',
  'linux-arm64':
    '2d72ee985a8e262a3c57dc9f7f0fd891f6a8c7bf7ebaa2db6dc6d8eac8ae28181afe51c1f368b67756cdb40b10de9b205609e1726e5f27f7c6d824dd9c6649ac',
};

/** The archive for a platform, or undefined when none is published or pinned. */
export function archiveFor({ os, arch }: Platform): Archive | undefined {
  const sha512 = SHA512[`${os}-${arch}`];
  if (sha512 === undefined) return undefined;
  const url = `${RELEASES}/envtest-v${VERSION}/envtest-v${VERSION}-${os}-${arch}.tar.gz`;
  return { version: VERSION, url, sha512 };
}

/** Fetches, checks and unpacks etcd and kube-apiserver into `staging`. */
export async function download(archive: Archive, staging: string, scratch: string, log: Log): Promise<void> {
  log(`downloading ${archive.url}`);
  const file = join(scratch, 'archive.tar.gz');
  const computed = await fetchTo(archive.url, file);
  if (computed !== archive.sha512) {
    throw new ChecksumMismatch(
      `checksum mismatch for ${archive.url}: ${computed} (computed) != ${archive.sha512} (expected)`,
    );
  }
  const members = ['etcd', 'kube-apiserver'].map((name) => `controller-tools/envtest/${name}`);
  await promisify(execFile)('tar', ['-xzf', file, '-C', staging, '--strip-components=2', ...members]);
}

async function fetchTo(url: string, file: string): Promise<string> {
  // It honours HTTPS_PROXY. No limit on the whole, which a slow line needs; one on silence.
  const dispatcher = new EnvHttpProxyAgent({
    connect: { timeout: SILENCE_LIMIT },
    headersTimeout: SILENCE_LIMIT,
    bodyTimeout: SILENCE_LIMIT,
  });
  try {
    const response = await fetch(url, { dispatcher });
    if (!response.ok || response.body === null) throw new Error(`${url} answered ${response.status}`);
    const hash = createHash('sha512');
    const hashed = async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        yield chunk;
      }
    };
    await pipeline(response.body, hashed, createWriteStream(file));
    return hash.digest('hex');
  } finally {
    await dispatcher.destroy();
  }
}
