/** Which Secrets a pod asks to get, and how: quick to compare with what a running pod names. */
import type { Parsed } from '../contract/grammar.ts';
import { parseEnv, parseFiles, parseInject } from '../contract/grammar.ts';
import { KEYS } from '../contract/keys.ts';
import type { SecretUse, UseForm } from '../kube/running.ts';
import type { Level } from './levels.ts';
import { nearestWish } from './levels.ts';

const FORMS: readonly (readonly [string, UseForm, (text: string) => Parsed<{ readonly secret: string }>])[] =
  [
    [KEYS.inject, 'envFrom', parseInject],
    [KEYS.env, 'env', parseEnv],
    [KEYS.files, 'volume', parseFiles],
  ];

/** What these levels ask for, nearest first. What cannot be read asks for nothing. */
export function wishedUses(levels: readonly Level[]): readonly Pick<SecretUse, 'secret' | 'form'>[] {
  return FORMS.flatMap(([key, form, parse]) => {
    const wish = nearestWish(levels, key);
    return wish === undefined ? [] : parse(wish.value).entries.map(({ secret }) => ({ secret, form }));
  });
}
