/** Between what Secrets are migrated: a real API server with its controllers, and the stand-in of Infisical. */
import type { ControlPlane } from '../../tools/control-plane/control-plane.ts';
import { startControlPlane } from '../../tools/control-plane/start.ts';
import type { InfisicalServer } from '../upstream/infisical-server.ts';
import { startInfisical } from '../upstream/infisical-server.ts';
import { WEBHOOK, prepareCluster } from './cluster.ts';

/** Whoever starts them stops both. */
export async function startMigrationCluster(): Promise<readonly [ControlPlane, InfisicalServer]> {
  const [plane, infisical] = await Promise.all([
    startControlPlane({ controllers: true, tokens: [WEBHOOK] }),
    startInfisical('current'),
  ]);
  await prepareCluster(plane);
  return [plane, infisical];
}
