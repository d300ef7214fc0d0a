import { ApiError } from './api-client.ts';
import type { PodWorker } from './pod-worker.ts';

/** Pods to look at, one after the other; one that is in the queue is not put there again. */
export class WorkQueue {
  readonly #queue = new Set<PodWorker>();
  #working = Promise.resolve();

  add(worker: PodWorker): void {
    this.#queue.add(worker);
    this.#working = this.#working.then(() => this.#workOff());
  }

  /** Forgets what is left and waits for the one at work. */
  async close(): Promise<void> {
    this.#queue.clear();
    await this.#working;
  }

  async #workOff(): Promise<void> {
    for (const worker of this.#queue) {
      this.#queue.delete(worker);
      try {
        await worker.reconcile();
      } catch (error) {
        // Gone or changed in between: the next event brings the pod back. Without an API server there is no
        // event, but the watch begins anew when it returns, and names every pod again.
        const expected = !(error instanceof ApiError) || error.status === 404 || error.status === 409;
        if (!expected) process.stderr.write(`kubelet stand-in: ${error.message}\n`);
      }
    }
  }
}
