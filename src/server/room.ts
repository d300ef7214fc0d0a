/** A bound on what is held in memory at the same time, in bytes; who finds no room waits for it in line. */

export interface Stay {
  /** Whether it has to wait. */
  readonly waits: boolean;
  /** Gives the room back, or leaves the line; a second time does nothing. */
  leave(): void;
}

export interface Room {
  /** Calls `entered` once there is room: now, or when others have left. What is larger than all room gets all of it. */
  enter(bytes: number, entered: () => void): Stay;
}

interface Guest {
  readonly bytes: number;
  readonly entered: () => void;
  state: 'waiting' | 'inside' | 'gone';
}

export function createRoom(most: number): Room {
  const line = new Set<Guest>();
  let taken = 0;

  /** In the order in which they came: a large one is not passed by for ever. */
  function admitNext(): void {
    for (const guest of line) {
      if (taken + guest.bytes > most) return;
      line.delete(guest);
      taken += guest.bytes;
      guest.state = 'inside';
      guest.entered();
    }
  }

  return {
    enter(bytes, entered) {
      const guest: Guest = { bytes: Math.min(bytes, most), entered, state: 'waiting' };
      line.add(guest);
      admitNext();
      return {
        waits: guest.state === 'waiting',
        leave() {
          if (guest.state === 'inside') taken -= guest.bytes;
          line.delete(guest);
          guest.state = 'gone';
          admitNext();
        },
      };
    },
  };
}
