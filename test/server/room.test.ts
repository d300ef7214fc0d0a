import { describe, expect, it } from 'vitest';
import { createRoom } from '../../src/server/room.ts';

describe('a room', () => {
  it('lets in what fits, in line, and what left makes place for the next', () => {
    const room = createRoom(10);
    const inside: string[] = [];
    const enter = (name: string, bytes: number) => room.enter(bytes, () => inside.push(name));
    const a = enter('a', 6);
    const b = enter('b', 6);
    const c = enter('c', 1);
    // A small one does not pass by the one before it.
    expect([inside, a.waits, b.waits, c.waits]).toEqual([['a'], false, true, true]);
    a.leave();
    a.leave();
    expect(inside).toEqual(['a', 'b', 'c']);
    enter('d', 4);
    expect(inside).toEqual(['a', 'b', 'c']);
    b.leave();
    expect(inside).toEqual(['a', 'b', 'c', 'd']);
  });

  it('forgets who leaves the line, and gives all of itself to what is larger', () => {
    const room = createRoom(10);
    const inside: string[] = [];
    const huge = room.enter(1_000, () => inside.push('huge'));
    const impatient = room.enter(1, () => inside.push('impatient'));
    room.enter(1, () => inside.push('patient'));
    impatient.leave();
    expect(inside).toEqual(['huge']);
    huge.leave();
    expect(inside).toEqual(['huge', 'patient']);
  });
});
