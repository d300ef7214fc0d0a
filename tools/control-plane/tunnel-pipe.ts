import type { Socket } from 'node:net';

/** Two connections become one; when one side breaks, the other does. */
export function join(left: Socket, right: Socket): void {
  left.pipe(right).pipe(left);
  left.on('error', () => right.destroy()).on('close', () => right.destroy());
  right.on('error', () => left.destroy()).on('close', () => left.destroy());
}
