export function isNewEnough(version: string): boolean;
export const NODE_PACKAGES: Readonly<Record<string, string>>;
export function findPinnedNode(): string | undefined;
