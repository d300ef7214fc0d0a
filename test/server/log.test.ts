import { describe, expect, it } from 'vitest';
import { createLog } from '../../src/server/log.ts';

function logging(level: string) {
  const lines: string[] = [];
  const log = createLog(level, { write: (line) => void lines.push(line) });
  return { log, lines: () => lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>) };
}

describe('the log', () => {
  it('has the field names and level names of floe’s Python services', () => {
    const { log, lines } = logging('info');
    log.info({ port: 8443 }, 'listening');
    log.warn('behind');
    log.error('failed');
    log.fatal('gone');
    const [first, ...others] = lines();
    expect(first).toEqual({
      event: 'listening',
      level: 'info',
      logger: 'floe.secrets',
      host: expect.any(String),
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      port: 8443,
    });
    expect(others.map(({ level, event }) => `${String(level)} ${String(event)}`)).toEqual([
      'warning behind',
      'error failed',
      'critical gone',
    ]);
  });

  it('writes nothing below log.level', () => {
    const { log, lines } = logging('warn');
    log.info('listening');
    log.warn('behind');
    expect(lines()).toHaveLength(1);
    const silent = logging('silent');
    silent.log.fatal('gone');
    expect(silent.lines()).toEqual([]);
  });

  it('keeps what may hold values out, wherever it hangs', () => {
    const { log, lines } = logging('info');
    const headers = { authorization: 'Bearer hunter2' };
    const error = Object.assign(new Error('refused'), { headers, response: { body: 'hunter2' } });
    log.error({ err: error, data: { a: 'hunter2' }, secret: { stringData: { a: 'hunter2' } } }, 'failed');
    const [line] = lines();
    expect(JSON.stringify(line)).not.toContain('hunter2');
    expect(line).toMatchObject({ err: { type: 'Error', message: 'refused' }, data: '[redacted]' });
  });
});
