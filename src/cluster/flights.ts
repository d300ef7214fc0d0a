/** Reads under way, so that many reviews that ask for one thing cause one request. */

export interface Flights<T> {
  /**
   * The answer to `key`. A `fresh` one comes from a read that began after this call: whoever refuses must not rely
   * on an answer that may be older than the request.
   */
  join(key: string, read: () => Promise<T>, fresh: boolean): Promise<T>;
}

interface Flight<T> {
  readonly running: Promise<T>;
  next?: Promise<T>;
}

export function createFlights<T>(): Flights<T> {
  const flights = new Map<string, Flight<T>>();

  async function start(key: string, read: () => Promise<T>): Promise<T> {
    const flight: Flight<T> = { running: read() };
    flights.set(key, flight);
    try {
      return await flight.running;
    } finally {
      if (flights.get(key) === flight) flights.delete(key);
    }
  }

  return {
    async join(key, read, fresh) {
      const flight = flights.get(key);
      if (flight === undefined) return start(key, read);
      if (!fresh) return flight.running;
      const again = async (): Promise<T> => start(key, read);
      flight.next ??= flight.running.then(again, again);
      return flight.next;
    },
  };
}
