/** E812: literals in `env` that have the shape of a well-known credential. The value itself is never repeated. */
import { asArray, get, text } from '../kube/json.ts';
import type { Container } from '../kube/pod.ts';
import { containersOf } from '../kube/pod.ts';
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
  ['a private key', /^\s*-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/],
  ['a URL with a password', /^[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@/]{1,64}:[^\s@/$]{3,128}@/],
];

export function literalFindings(pod: unknown): readonly Draft[] {
  return containersOf(pod).flatMap(literalsOfContainer);
}

function literalsOfContainer(container: Container): readonly Draft[] {
  return asArray(get(container.raw, 'env')).flatMap((variable) => {
    const value = text(variable, 'value');
    const shape =
      value === undefined || value.length < 8 ? undefined : SHAPES.find(([, one]) => one.test(value));
    if (shape === undefined) return [];
    const name = text(variable, 'name') ?? '';
    return [
      draft('FLOE-E812', `the value of variable ${name} looks like ${shape[0]}`, {
        uses: [useIn(container, `env ${name}`)],
        suggestion: 'put it into a Secret and refer to that',
      }),
    ];
  });
}
