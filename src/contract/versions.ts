/** `secrets.floe.dev/versions` of a pod: which version of each injected Secret its admission saw. */

/** Secret name to resourceVersion; what cannot be read is left out. */
export function parseVersions(written: string | undefined): ReadonlyMap<string, string> {
  const versions = new Map<string, string>();
  for (const entry of (written ?? '').split(',')) {
    const equals = entry.indexOf('=');
    if (equals > 0 && equals < entry.length - 1)
      versions.set(entry.slice(0, equals).trim(), entry.slice(equals + 1).trim());
  }
  return versions;
}
