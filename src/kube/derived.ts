/** What is made of an object that never changes, and of nothing else: once, for as long as the object lives. */

/** Remembers what `derive` makes of each object. */
export function derived<Source extends object, Made>(
  derive: (source: Source) => Made,
): (source: Source) => Made {
  const known = new WeakMap<Source, { readonly made: Made }>();
  return (source) => {
    let entry = known.get(source);
    if (entry === undefined) known.set(source, (entry = { made: derive(source) }));
    return entry.made;
  };
}
