/** Which values stores keep as they are: text, which Infisical must neither trim nor expand. */

/** What the server makes of a value: blanks around it go, but for one newline at its end. */
function asKept(text: string): string {
  return text.endsWith('\n') ? `${text.trim()}\n` : text.trim();
}

/** Its text, or undefined where bytes are none, blanks around it would go, or `${…}` would be taken for a reference. */
export function plainText(bytes: Uint8Array): string | undefined {
  const text = textOf(bytes);
  if (text === undefined || asKept(text) !== text || text.includes('${')) return undefined;
  return text;
}

/** What is UTF-8; undefined of other bytes, which JSON cannot hold. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** A secret of the folder in a Go template of Infisical's operator: `.PASSWORD.Value`, `(index . "tls.crt").Value`. */
export function valueOf(key: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) ? `.${key}.Value` : `(index . ${JSON.stringify(key)}).Value`;
}

/** The template of a Secret with these keys; undefined where the operator makes the same without one. */
export function templateOf(
  keys: readonly string[],
  encoded: readonly string[],
): Readonly<Record<string, string>> | undefined {
  if (encoded.length === 0) return undefined;
  const decoded = (key: string): string =>
    encoded.includes(key) ? `{{ decodeBase64ToBytes ${valueOf(key)} }}` : `{{ ${valueOf(key)} }}`;
  return Object.fromEntries(keys.map((key) => [key, decoded(key)]));
}
