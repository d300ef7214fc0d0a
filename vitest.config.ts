import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const LIVE = 'test/live/**/*.live.test.ts';
const E2E = 'test/e2e/**/*.e2e.test.ts';
/** Real clusters share the machine with each other: what loses a race there once may try again. */
const CROWDED = 1;

export default defineConfig({
  test: {
    // Ceilings against hangs, for machines that are slow and busy too; no test measures time.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // Live tests mostly wait for other processes, so two do no harm even on two cores.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      { extends: true, test: { name: 'tests', include: ['test/**/*.test.ts'], exclude: [LIVE, E2E] } },
      {
        extends: true,
        test: {
          name: 'live',
          include: [LIVE],
          retry: CROWDED,
          // One control plane for all of them, started only where one of these files runs.
          globalSetup: ['test/live/setup.ts'],
        },
      },
      // Real pods, of which there is one cluster too.
      {
        extends: true,
        test: { name: 'e2e', include: [E2E], retry: CROWDED, globalSetup: ['test/e2e/setup.ts'] },
      },
    ],
  },
});
