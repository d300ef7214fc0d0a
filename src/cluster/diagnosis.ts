/** The checks of `doctor`, in the order in which one cause explains the next. */
import { examineCertificates } from './diagnose-certificates.ts';
import { examinePermissions } from './diagnose-permissions.ts';
import { missingNamespace } from './diagnose-place.ts';
import { examinePlugins } from './diagnose-plugins.ts';
import { examineRegistration } from './diagnose-registration.ts';
import { examineReplicas } from './diagnose-replicas.ts';
import { examineReload } from './diagnose-reload.ts';
import type { Finding, Installation, Patient } from './patient.ts';
import { admitPatient } from './patient.ts';

const CHECKS: readonly ((patient: Patient) => Promise<readonly Finding[]>)[] = [
  examineReplicas,
  examineRegistration,
  examineCertificates,
  examinePermissions,
  examinePlugins,
  examineReload,
];

/** Runs every check. Throws ApiError where the API server does not answer at all. */
export async function diagnose(installation: Installation): Promise<readonly Finding[]> {
  const missing = await missingNamespace(installation);
  if (missing !== undefined) return [missing];
  const { patient, findings } = await admitPatient(installation);
  const results = await Promise.all(CHECKS.map(async (check) => check(patient)));
  return [...findings, ...results.flat()];
}
