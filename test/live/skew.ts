/** A Node whose clock is wrong. */

export const DAY = 86_400_000;

/** The environment of a process whose `Date` is so many milliseconds ahead of this machine's; behind, where negative. */
export function skewedBy(milliseconds: number): Readonly<Record<string, string>> {
  const code = `
    const Real = Date;
    globalThis.Date = class Date extends Real {
      constructor(...given) {
        if (given.length === 0) super(Real.now() + ${milliseconds});
        else super(...given);
      }
      static now() {
        return Real.now() + ${milliseconds};
      }
    };`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
}
