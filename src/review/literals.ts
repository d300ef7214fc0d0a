/** E812: literals in `env` that have the shape of a well-known credential. The value itself is never repeated. */
import { asArray, get, text } from '../kube/json.ts';
import type { Container } from '../kube/pod.ts';
import type { Draft } from './findings.ts';
import { draft } from './findings.ts';
import { useIn } from './references.ts';

const SHAPES: readonly (readonly [words: string, shape: RegExp])[] = [
  ['an AWS access key id', /^(?:AKIA|ASIA)[0-9A-Z]{16}$/],
  ['a GitHub token', /^(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{22,})/],
  ['a GitLab token', /^glpat-[-0-9A-Za-z_]{20}/],
  ['a Slack token', /^xox[abprs]-[-0-9A-Za-z]{10}/],
  ['a Stripe key', /^[rs]k_live_[0-9A-Za-z]{16}/],
  ['a Google API key', /^AIza[-0-9A-Za-z_]{35}$/],
  ['a HashiCorp Vault token', /^hv[sb]\.[-0-9A-Za-z_]{24}/],
  ['an Infisical service token', /^st\.[0-9a-f-]{8,}\.[0-9a-f]{16}/],
  ['a Doppler token', /^dp\.(?:st|ct|pt|sa|said|scim|audit)\.[0-9A-Za-z._-]{20}/],
  ['a 1Password service account token', /^ops_eyJ[0-9A-Za-z_-]{40}/],
  ['an npm token', /^npm_[0-9A-Za-z]{36}$/],
  ['a signed token (JWT)', /^eyJ[0-9A-Za-z_-]{10,2000}\.eyJ[0-9A-Za-z_-]{10,8000}\.[0-9A-Za-z_-]{20}/],
  ['a private key', /^\s*-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/],
  ['a URL with a password', /^[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@/]{1,64}:[^\s@/$]{3,128}@/],
];

/** Most values have none of them, and are looked at once for that. */
const ANY_SHAPE = new RegExp(SHAPES.map(([, shape]) => shape.source).join('|'));

/** A PEM key is the longest that is looked at. */
const LONGEST = 16_384;
/** Nothing shorter is a credential. */
const SHORTEST = 8;
const TELLING_NAME = /(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL)S?$/i;
const RANDOM_TEXT = /^[A-Za-z0-9+/_=.-]{24,256}$/;
/** Words and paths stay below; 24 random characters of base64 have some 4.2. */
const RANDOM_BITS = 4;
/** 32 random bytes; a digest looks the same, but nobody calls that a secret. */
const RANDOM_HEX = /^[0-9a-f]{64}$/i;
const SECRET_NAME = /(?:TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL)S?$/i;
const RANDOM_HEX_BITS = 3.3;

export function literalFindings(containers: readonly Container[]): readonly Draft[] {
  const found: Draft[] = [];
  for (const container of containers) addLiterals(found, container);
  return found;
}

function addLiterals(found: Draft[], container: Container): void {
  for (const variable of asArray(get(container.raw, 'env'))) {
    const value = text(variable, 'value');
    if (value === undefined || value.length < SHORTEST) continue;
    const name = text(variable, 'name') ?? '';
    const words = credentialIn(name, value);
    if (words === undefined) continue;
    found.push(
      draft('FLOE-E812', `the value of variable ${name} looks like ${words}`, {
        uses: [useIn(container, `env ${name}`)],
        suggestion: 'put it into a Secret and refer to that',
      }),
    );
  }
}

/** What the value looks like, or undefined. */
function credentialIn(name: string, value: string): string | undefined {
  if (value.length > LONGEST) return undefined;
  const shape = ANY_SHAPE.test(value) ? SHAPES.find(([, one]) => one.test(value)) : undefined;
  if (shape !== undefined) return shape[0];
  return isRandom(name, value) ? 'a random credential' : undefined;
}

/** Only of variables whose name says that it is one. */
function isRandom(name: string, value: string): boolean {
  if (RANDOM_HEX.test(value)) return SECRET_NAME.test(name) && entropyOf(value) >= RANDOM_HEX_BITS;
  return TELLING_NAME.test(name) && RANDOM_TEXT.test(value) && entropyOf(value) >= RANDOM_BITS;
}

/** Shannon's entropy of the value's characters, in bits each. */
function entropyOf(value: string): number {
  const counts = new Map<string, number>();
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / value.length) * Math.log2(count / value.length);
  return bits;
}
