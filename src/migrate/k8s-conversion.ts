/** What a plain Secret becomes: its values go to Infisical, and a sync resource takes it over under the same name. */
import type { Conversion } from './conversion.ts';
import type { InfisicalWish } from './infisical-target.ts';
import { copyTo } from './infisical-target.ts';
import type { StandingSecret, Surroundings } from './standing-secret.ts';
import { keeperNotes, refusalsOf } from './standing-secret.ts';

export interface PlainRequest extends Surroundings {
  readonly secret: StandingSecret;
  readonly wish: InfisicalWish;
}

export function convertSecret(request: PlainRequest): Conversion {
  const { secret, wish } = request;
  const { namespace, name, target } = secret;
  const base = {
    namespace,
    secret: name,
    kind: 'Secret',
    name,
    source: '-',
    notes: keeperNotes(secret),
  };
  const obstacles = refusalsOf(secret, request);
  if (obstacles.length > 0) return { ...base, obstacles };
  // Its labels and annotations are its own, and stay.
  const made = copyTo(wish, { namespace, name, secret: name, metadata: {}, target });
  return { ...base, ...made, notes: [...base.notes, ...made.notes] };
}
