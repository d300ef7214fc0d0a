import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

function review(path: string): { readonly code: number | null; readonly out: string } {
  const args = ['bin/floe-secrets.js', 'review', '-f', path];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  return { code: status, out: stdout };
}

test('the examples pass review as they stand', () => {
  const { code, out } = review('deploy/examples/floe');
  expect(code, out).toBe(0);
  expect(out).toMatch(/reviewed: (\d+) allowed, 0 denied, 0 warnings/);
});

test("the ADR's InfisicalSecret does not, and the review prints the one that does", () => {
  const { code, out } = review('deploy/examples/adr-0031-infisicalsecret.yaml');
  expect(code).toBe(5);
  expect(out).toMatch(/FLOE-E805.*secretsScope stands under spec/);
  expect(out).toMatch(/universalAuth:\s+credentialsRef:[^]*?secretsScope:\s+projectSlug: floe-platform/);
});
