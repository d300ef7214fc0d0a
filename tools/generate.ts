// Writes the files that are derived from code. With --check it writes nothing and fails where one differs.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { FILE_SCHEMA } from '../src/config/config.ts';
import { chartFacts } from './chart/facts.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Every derived file, by its path in the repository. */
const DERIVED: Readonly<Record<string, () => string>> = {
  'deploy/config.schema.json': configSchema,
  'deploy/chart/files/facts.yaml': chartFacts,
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
  if (wanted === current(file)) continue;
  stale.push(path);
  if (!process.argv.includes('--check')) writeFileSync(file, wanted);
}

if (process.argv.includes('--check') && stale.length > 0) {
  console.error(`Not up to date: ${stale.join(', ')}. Run: npm run generate`);
  process.exit(1);
}
if (stale.length > 0) console.log(`Written: ${stale.join(', ')}`);
