/**
 * The answer to a question that this project asks itself through the API server: a trial of an object that the
 * webhook `reachable` is registered for. It is always refused; that the refusal arrives proves that the API server
 * resolves the Service, accepts the certificate, and reads the answer.
 */
import { hostname } from 'node:os';
import { dig, text } from '../kube/json.ts';

export function reachedAnswer(body: unknown): object {
  const uid = text(dig(body, 'request'), 'uid') ?? '';
  const status = { code: 403, reason: 'Forbidden', message: `reached ${hostname()}` };
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid, allowed: false, status },
  };
}
