/** Whether the reloader looks at every Secret as often as it is told to: its leader says so on the Lease. */
import { KEYS } from '../contract/keys.ts';
import { formatDuration } from '../kube/duration.ts';
import { LEASE, annotation } from '../kube/object.ts';
import { parsePolling } from '../reload/polling.ts';
import type { Finding, Patient } from './patient.ts';
import { unknown } from './patient.ts';
import { holdingOf } from './lease.ts';

export async function examineReload(patient: Patient): Promise<readonly Finding[]> {
  const check = 'reload';
  const { reload } = patient.config;
  if (!reload.enabled) return [];
  const lease = await patient.read(LEASE, patient.name);
  // That nobody leads, or that this cannot be known, is the finding of another check.
  if (lease.state !== 'read' || holdingOf(lease.value).holder === '') return [];
  const polling = parsePolling(annotation(lease.value, KEYS.reloadPolling));
  if (polling === undefined)
    return [
      unknown(check, 'the leader has not said how many Secrets it looks at; a new one does in seconds'),
    ];
  const { secrets, interval } = polling;
  const followed = `${secrets} ${secrets === 1 ? 'Secret' : 'Secrets'}`;
  if (interval === undefined)
    return [{ check, outcome: 'ok', message: `${followed} followed for restarts, by a watch` }];
  const message = `${followed} polled for restarts, each every ${formatDuration(interval)}`;
  if (interval <= reload.pollInterval) return [{ check, outcome: 'ok', message }];
  const enough = Math.ceil((secrets * 1000) / reload.pollInterval);
  return [
    {
      check,
      outcome: 'warning',
      message: `${message}: reload.qps ${reload.qps} is too little for reload.pollInterval ${formatDuration(reload.pollInterval)}`,
      fix: `set reload.qps to ${enough}, or secrets.access to watch (it needs the right to list all Secrets)`,
    },
  ];
}
