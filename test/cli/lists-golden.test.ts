// What the older commands print, in every format.
import { describe, expect, it } from 'vitest';
import { run as list } from '../../src/cli/list.ts';
import { run as status } from '../../src/cli/status.ts';
import { run as validate } from '../../src/cli/validate.ts';
import { captured } from './captured.ts';
import { expectGolden } from './golden.ts';
import { runningCluster } from './running.ts';

const cwd = runningCluster({
  'manifest.yaml':
    'plugins:\n  compute: {type: duckdb, connection_secret_ref: db}\n  catalog: {secret_ref: lost}\n',
});

describe.each([
  ['list', list, 0],
  ['status', status, 0],
  ['validate', validate, 5],
] as const)('%s', (name, run, exitCode) => {
  it.each(['text', 'json', 'yaml'])('writes %s', async (output) => {
    const options = { world: ['world'], namespace: 'floe-jobs', output };
    const { out, err, code } = await captured(run, options, { cwd });
    expect([code, err]).toEqual([exitCode, '']);
    await expectGolden(`${name}.${output}`, out);
  });
});
