import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { defaultConfig } from '../../src/config/config.ts';
import { ALL_SETTINGS } from '../../src/config/settings.ts';

it('has one flag and one variable for each setting', () => {
  const names = ALL_SETTINGS.flatMap(({ flag, env }) => [flag, env]);
  expect(new Set(names).size).toBe(ALL_SETTINGS.length * 2);
});

it('says something of each setting', () => {
  for (const { setting, path } of ALL_SETTINGS) {
    expect(setting.about, path.join('.')).not.toBe('');
    expect(defaultConfig(), path.join('.')).toHaveProperty([...path]);
  }
});

it('is what deploy/config.schema.json says', () => {
  const { status, stderr } = spawnSync(process.execPath, ['tools/generate.ts', '--check'], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const schema = JSON.parse(readFileSync('deploy/config.schema.json', 'utf8')) as object;
  expect(schema).toHaveProperty('properties.server.properties.drain.default', '10s');
  expect(schema).toHaveProperty('properties.server.additionalProperties', false);
});
