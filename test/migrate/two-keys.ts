/** A Secret as most conversions meet it. */
import type { TargetSecret } from '../../src/migrate/conversion.ts';

export const TWO_KEYS: TargetSecret = {
  keys: ['PASSWORD', 'USER'],
  encoded: [],
  binary: [],
  type: 'Opaque',
  immutable: false,
  metadata: {},
};
