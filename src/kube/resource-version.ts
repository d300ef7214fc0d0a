/** The order of resourceVersions of one kind: numbers that only grow (KEP-5504). What is none is equal or unknown. */

/** Whether `version` is `than` or was written after it; false where that cannot be told. */
export function isSameOrLater(version: string, than: string): boolean {
  if (version === than) return true;
  if (!DIGITS.test(version) || !DIGITS.test(than)) return false;
  return version.length === than.length ? version > than : version.length > than.length;
}

const DIGITS = /^[1-9][0-9]*$/;
