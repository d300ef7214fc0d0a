/** What controllers find wrong at the moment, for whoever reports it: each finding stays until it is taken back. */

/** What a PolicyReport calls a rule: that Secrets are there, that pods carry what they asked for. */
export type ReportedRule = 'present' | 'injected';

export interface Reported {
  readonly rule: ReportedRule;
  /** The object that is wrong. */
  readonly resource: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
  };
  /** A sentence without values, times and ids: one that stays the same is written once. */
  readonly message: string;
}

export interface ReportBoard {
  /** In the place of what was found under this key before. */
  put(key: string, found: Reported): void;
  takeBack(key: string): void;
  all(): Iterable<Reported>;
}

/** More are found by metrics and Events. */
const MOST = 5_000;

export function createReportBoard(): ReportBoard {
  const found = new Map<string, Reported>();
  return {
    put(key, one) {
      if (found.has(key) || found.size < MOST) found.set(key, one);
    },
    takeBack: (key) => void found.delete(key),
    all: () => found.values(),
  };
}
