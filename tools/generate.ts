// Writes the files that are derived from code. With --check it writes nothing and fails where one differs.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { FILE_SCHEMA } from '../src/config/config.ts';
import { chartFacts } from './chart/facts.ts';
import { dashboard } from './chart/dashboard.ts';
import { plainManifests } from './chart/manifests.ts';
import { valuesSchema } from './chart/values-schema.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Where this machine lacks what makes a file. */
interface Unknown {
  readonly reason: string;
}

/** Every derived file, by its path in the repository. */
const DERIVED: Readonly<Record<string, () => string | Unknown>> = {
  'deploy/config.schema.json': configSchema,
  'deploy/chart/files/facts.yaml': chartFacts,
  'deploy/chart/files/dashboard.json': dashboard,
  'deploy/chart/values.schema.json': valuesSchema,
  // Last, for it is made of the chart with the files above.
  'deploy/manifests/install.yaml': plainManifests,
};

function configSchema(): string {
  // What people write, not what it becomes: durations are text there.
  const { $schema, ...schema } = z.toJSONSchema(FILE_SCHEMA, { io: 'input' });
  return `${JSON.stringify({ $schema, title: 'SecretsWebhookConfig', ...schema }, undefined, 2)}\n`;
}

function current(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

const stale: string[] = [];
for (const [path, content] of Object.entries(DERIVED)) {
  const file = `${root}${path}`;
  const wanted = content();
  if (typeof wanted !== 'string') {
    console.error(`${path}: not looked at, ${wanted.reason}`);
    continue;
  }
  if (wanted === current(file)) continue;
  stale.push(path);
  if (process.argv.includes('--check')) continue;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, wanted);
}

if (process.argv.includes('--check') && stale.length > 0) {
  console.error(`Not up to date: ${stale.join(', ')}. Run: npm run generate`);
  process.exit(1);
}
if (stale.length > 0) console.log(`Written: ${stale.join(', ')}`);
