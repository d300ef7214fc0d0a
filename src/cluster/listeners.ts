/** Who wants to hear of something, and telling them. */

export interface Listeners<T> {
  /** Adds a listener; the function that it gives takes it away again. A listener must not throw. */
  add(listener: (news: T) => void): () => void;
  tell(news: T): void;
}

export function createListeners<T>(): Listeners<T> {
  const listeners = new Set<(news: T) => void>();
  return {
    add(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    tell(news) {
      for (const listener of listeners) listener(news);
    },
  };
}
