import { describe, expect, it, test } from 'vitest';
import type { Next, Sight, Temper } from '../../src/migrate/hand-over.ts';
import { nextStep, wordsOfDifference } from '../../src/migrate/hand-over.ts';

const ABSENT = { state: 'absent', words: '' } as const;
const SYNCED = { state: 'synced', words: 'True' } as const;
const EQUAL = { missing: [], extra: [], changed: [] };
const OTHER = { missing: [], extra: ['NEW'], changed: ['USER'] };

/** Nothing has been done yet. */
const BEGINNING: Sight = {
  record: 'none',
  secretIsThere: true,
  hasSource: true,
  isInPlace: false,
  rehearses: true,
  from: 'owning',
  fromIsHeard: true,
  fromIsOwner: true,
  rehearsal: ABSENT,
  to: ABSENT,
  toIsSilent: false,
  toIsSettled: true,
  leftover: false,
  traces: false,
};
const REHEARSED: Sight = { ...BEGINNING, record: 'open', rehearsal: SYNCED, difference: EQUAL };
const RELEASED: Sight = { ...REHEARSED, from: 'released', fromIsOwner: false };
const SILENT: Sight = { ...RELEASED, from: 'silent' };
const ADOPTED: Sight = { ...SILENT, to: SYNCED };
const RETIRED: Sight = { ...ADOPTED, from: 'absent', traces: true };
const TIDY: Sight = { ...RETIRED, traces: false };
const SWEPT: Sight = { ...BEGINNING, ...TIDY, rehearsal: ABSENT };

const PATIENT: Temper = { patient: true, acceptsChanges: false };
const IMPATIENT: Temper = { patient: false, acceptsChanges: false };

/** 'step record', 'wait the rehearsal', 'stop …', 'done'. */
function told(next: Next): string {
  if (next.kind === 'step') return `step ${next.step}`;
  if (next.kind === 'wait') return `wait ${next.on}`;
  return next.kind === 'stop' ? `stop ${next.why}` : 'done';
}

describe('a hand-over goes, from whatever is seen,', () => {
  test.each<[string, Sight]>([
    ['step record', BEGINNING],
    ['step rehearse', { ...BEGINNING, record: 'open' }],
    ['wait the rehearsal', { ...REHEARSED, rehearsal: { state: 'waiting', words: '' } }],
    ['wait the rehearsal', { ...REHEARSED, rehearsal: { state: 'failing', words: 'no' } }],
    ['wait equal data', { ...REHEARSED, difference: OTHER }],
    ['step release', REHEARSED],
    ['wait the old operator to let go', { ...RELEASED, fromIsHeard: false, fromIsOwner: true }],
    ['step disown', { ...RELEASED, fromIsOwner: true }],
    ['step silence', RELEASED],
    ['wait the old operator to let go', { ...SILENT, fromIsHeard: false }],
    ['step adopt', SILENT],
    ['step wake', { ...ADOPTED, toIsSilent: true }],
    ['step silence', { ...ADOPTED, from: 'released' }],
    ['wait the new resource', { ...ADOPTED, to: { state: 'waiting', words: '' } }],
    ['wait equal data', { ...ADOPTED, difference: OTHER }],
    ['step disown', { ...ADOPTED, fromIsOwner: true }],
    ['step retire', ADOPTED],
    ['wait the deletion of the old resource', { ...ADOPTED, from: 'leaving' }],
    ['step tidy', RETIRED],
    ['step settle', { ...TIDY, toIsSettled: false }],
    ['step sweep', TIDY],
    ['step close', SWEPT],
    ['done', { ...SWEPT, record: 'closed' }],
    // Nobody synced it before.
    ['step rehearse', { ...BEGINNING, record: 'open', from: 'absent', hasSource: false }],
    ['step adopt', { ...REHEARSED, from: 'absent', hasSource: false }],
    ['wait equal data', { ...TIDY, hasSource: false, difference: OTHER }],
    ['step sweep', { ...TIDY, hasSource: false }],
    // Nor is it there.
    ['step record', { ...BEGINNING, from: 'absent', hasSource: false, secretIsThere: false }],
    ['step adopt', { ...BEGINNING, record: 'open', from: 'absent', hasSource: false, secretIsThere: false }],
    ['step clear', { ...BEGINNING, leftover: true }],
  ])('%s', (wanted, sight) => expect(told(nextStep(sight, PATIENT))).toBe(wanted));

  test.each<[string, Sight]>([
    ['stop the Secret is not there: there is nothing to hand over', { ...BEGINNING, secretIsThere: false }],
    ['stop the resource that writes the Secret is being deleted', { ...BEGINNING, from: 'leaving' }],
    [
      'stop the rehearsal does not sync: no such project',
      { ...REHEARSED, rehearsal: { state: 'failing', words: 'no such project' } },
    ],
    [
      'stop the data would not be the same: it would also have NEW; it would have other values of USER',
      { ...REHEARSED, difference: OTHER },
    ],
    ['stop the new resource does not sync: x', { ...ADOPTED, to: { state: 'failing', words: 'x' } }],
    [
      'stop somebody has written the old resource back: is it kept by Argo CD, Flux or Helm?',
      { ...ADOPTED, from: 'owning' },
    ],
    [
      'stop a resource of the new name is there already, and no migration has made it',
      { ...ADOPTED, record: 'none' },
    ],
    // An operator that does not answer is helped, and one whose spec says so does not take the Secret back.
    ['step disown', { ...RELEASED, fromIsHeard: false, fromIsOwner: true }],
    ['step silence', { ...RELEASED, fromIsHeard: false }],
    ['step adopt', { ...SILENT, fromIsHeard: false }],
  ])('without more patience: %s', (wanted, sight) => expect(told(nextStep(sight, IMPATIENT))).toBe(wanted));

  it('compares no more once the old resource is gone: what changes then is a rotation', () => {
    expect(told(nextStep({ ...TIDY, difference: OTHER }, IMPATIENT))).toBe('step sweep');
  });

  it('takes other values where they are wanted', () => {
    const temper = { patient: false, acceptsChanges: true };
    expect(told(nextStep({ ...REHEARSED, difference: OTHER }, temper))).toBe('step release');
  });

  it('takes no other type, not even where other values are wanted', () => {
    const sight = { ...REHEARSED, difference: { ...EQUAL, type: 'Opaque' } };
    const why = 'stop the data would not be the same: it would be of type Opaque';
    for (const acceptsChanges of [false, true]) {
      expect(told(nextStep(sight, { patient: false, acceptsChanges }))).toBe(why);
    }
  });

  it('ends the way back without a record', () => {
    expect(told(nextStep({ ...SWEPT, record: 'open' }, PATIENT, 'removed'))).toBe('step close');
    expect(told(nextStep({ ...SWEPT, record: 'none' }, PATIENT, 'removed'))).toBe('done');
  });
});

/** Whatever it sees, the old resource goes only after the new one was seen to write the same data. */
it('never retires before there is proof', () => {
  const performances = (['absent', 'waiting', 'failing', 'synced'] as const).map((state) => ({
    state,
    words: '',
  }));
  const booleans = [true, false];
  let seen = 0;
  for (const record of ['none', 'open', 'closed'] as const)
    for (const from of ['absent', 'owning', 'released', 'silent', 'leaving'] as const)
      for (const rehearsal of performances)
        for (const to of performances)
          for (const fromIsOwner of booleans)
            for (const difference of [undefined, EQUAL, OTHER])
              for (const patient of booleans) {
                const sight: Sight = {
                  ...BEGINNING,
                  record,
                  from,
                  rehearsal,
                  to,
                  fromIsOwner,
                  ...(difference === undefined ? {} : { difference }),
                };
                const next = nextStep(sight, { patient, acceptsChanges: false });
                if (next.kind !== 'step') continue;
                if (next.step === 'retire') {
                  seen += 1;
                  expect([from, to.state, fromIsOwner, record === 'none']).toEqual([
                    'silent',
                    'synced',
                    false,
                    false,
                  ]);
                  if (rehearsal.state !== 'absent') expect(difference).toEqual(EQUAL);
                }
                if (next.step === 'release' || next.step === 'adopt') {
                  expect([record, rehearsal.state, difference]).toEqual(['open', 'synced', EQUAL]);
                }
              }
  expect(seen).toBeGreaterThan(0);
});

it('tells of differences by the names of keys', () => {
  expect(wordsOfDifference({ missing: ['A', 'B'], extra: [], changed: ['C'] })).toBe(
    'it would lack A, B; it would have other values of C',
  );
});
