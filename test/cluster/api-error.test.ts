import { describe, expect, it } from 'vitest';
import { ApiError, errorOfAnswer, errorOfFault, errorOfStatus } from '../../src/cluster/api-error.ts';

const refusal = (code: number, message: string) =>
  JSON.stringify({ kind: 'Status', code, reason: 'Whatever', message });

describe('an answer that is no success', () => {
  it('keeps the reason and the message of a Status', () => {
    const error = errorOfAnswer(409, refusal(409, 'the object has been modified'));
    expect(error).toMatchObject({ status: 409, reason: 'Whatever', message: 'the object has been modified' });
  });

  it.each([400, 422])('drops the message of a %i, which may quote the value that was sent', (code) => {
    const error = errorOfAnswer(code, refusal(code, 'Invalid value: "hunter2"'));
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('hunter2');
  });

  it('reads nothing of a body that is no Status', () => {
    const error = errorOfAnswer(502, '{"data":{"password":"hunter2"},"message":"hunter2"}');
    expect(error.message).toBe('HTTP 502 HTTP502');
    expect(errorOfAnswer(502, '<html>hunter2').message).not.toContain('hunter2');
  });

  it('cuts long messages and takes control characters out of them', () => {
    const { message } = errorOfAnswer(500, refusal(500, `a\u001b[31m\nb${'x'.repeat(9_000)}`));
    expect(message).toMatch(/^a \[31m bx+$/);
    expect(message.length).toBeLessThanOrEqual(300);
  });

  it('takes the code of an ERROR event from its Status', () => {
    expect(errorOfStatus({ kind: 'Status', code: 410, reason: 'Expired' })).toMatchObject({ status: 410 });
    expect(errorOfStatus('nonsense')).toMatchObject({ status: 0 });
  });
});

describe('a call without an answer', () => {
  it('keeps the code of the system and none of its words', () => {
    const fault = Object.assign(new Error('connect ECONNREFUSED 10.1.2.3:6443'), { code: 'ECONNREFUSED' });
    const error = errorOfFault(fault);
    expect(error).toMatchObject({ status: 0, reason: 'ECONNREFUSED', message: 'connection refused' });
    expect(error.cause).toBeUndefined();
  });

  it('finds the code of a wrapped fault', () => {
    const inner = Object.assign(new Error('inner'), { code: 'ETIMEDOUT' });
    expect(errorOfFault(new Error('outer', { cause: inner })).reason).toBe('ETIMEDOUT');
  });

  it('leaves an ApiError alone and survives whatever else was thrown', () => {
    const error = new ApiError(404, 'NotFound', 'not found');
    expect(errorOfFault(error)).toBe(error);
    expect(errorOfFault('boom')).toMatchObject({ reason: 'unknown' });
    expect(errorOfFault(AbortSignal.timeout(0).reason)).toMatchObject({ status: 0 });
  });
});
