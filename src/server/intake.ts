/**
 * How requests come in when there are more of them than this process can judge. Nothing is turned away: a refusal of
 * any kind would cost the cluster its admission. Large bodies take turns, so that memory is bounded, and what nobody
 * waits for any more is not judged, so that a process that is behind catches up.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody } from './body.ts';
import type { Pressure } from './pressure.ts';
import { createRoom } from './room.ts';

export interface IntakeOptions {
  /** Bytes of the longest body. */
  readonly bodyLimit: number;
  readonly pressure?: Pressure | undefined;
  /** Told of what is done because there is too much to do. */
  readonly overloaded?: ((action: 'caller_gone' | 'body_waited') => void) | undefined;
}

export interface Arrival {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  /** How long its caller waits for an answer. */
  readonly timeoutMs: number;
}

export interface Intake {
  /**
   * Calls back once: with the body, or with undefined where it is too long; and how long the request has waited, in
   * milliseconds, where that is worth a thought. Never where it breaks off, or its caller has gone.
   */
  take(arrival: Arrival, done: (body: Buffer | undefined, lateMs: number) => void): void;
}

/** Reviews are some 5 to 30 KB long; only longer bodies take turns. */
const SMALL = 65_536;
/** Of bodies that take turns, until they are answered: JSON takes several times its length while it is judged. */
const ROOM = 16 * 1024 * 1024;

export function createIntake({ bodyLimit, pressure, overloaded }: IntakeOptions): Intake {
  const room = createRoom(ROOM);
  return {
    take({ message, response, timeoutMs }, done) {
      const read = (): void =>
        readBody(message, bodyLimit, (body) => {
          if (pressure === undefined || !pressure.isHigh()) return done(body, 0);
          const late = pressure.lateMs();
          // Once the loop has come round, it has also heard of the connections that were closed meanwhile.
          setImmediate(() => {
            if (isGone(message, response)) overloaded?.('caller_gone');
            else done(body, late);
          });
        });
      const bytes = bytesOf(message, bodyLimit);
      if (bytes <= SMALL || bytes > bodyLimit) return read();
      const patience = createPatience(message, timeoutMs);
      const stay = room.enter(bytes, () => {
        patience.begin();
        read();
      });
      if (stay.waits) overloaded?.('body_waited');
      response.once('close', () => {
        patience.end();
        stay.leave();
      });
    },
  };
}

/** As it is announced; without a word the longest. */
function bytesOf({ headers }: IncomingMessage, bodyLimit: number): number {
  const announced = headers['content-length'];
  return announced === undefined ? bodyLimit : Number(announced);
}

/** Who sends slowly must not keep others waiting for longer than anybody waits for an answer. */
function createPatience(
  message: IncomingMessage,
  timeoutMs: number,
): { readonly begin: () => void; readonly end: () => void } {
  let timer: NodeJS.Timeout | undefined;
  return {
    begin() {
      timer = setTimeout(() => {
        if (!message.complete) message.socket.destroy();
      }, timeoutMs);
    },
    end: () => clearTimeout(timer),
  };
}

/** A message that was read to its end is `destroyed` as well, so its connection is asked. */
function isGone({ socket }: IncomingMessage, response: ServerResponse): boolean {
  return response.destroyed || socket.destroyed || socket.readableEnded;
}
