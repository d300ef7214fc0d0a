/** Pods that are asked for without a pause, to see whether any is refused or passes unjudged. */
import type { ApiClient } from '../../tools/control-plane/api-client.ts';
import { eventually } from './cluster.ts';

export interface Admissions {
  /** Waits for so many more answers. */
  atLeast(more: number): Promise<void>;
  stop(): Promise<AdmissionCount>;
}

interface AdmissionCount {
  readonly answered: number;
  /** The refusals' words. */
  readonly failed: readonly string[];
  /** Pods that came back without what they asked for. */
  readonly notInjected: number;
}

/** Four clients that ask one after the other; only tries, as the webhook is called for these just the same. */
export function steadyAdmissions(api: ApiClient, namespace: string, secret: string): Admissions {
  const failed: string[] = [];
  let answered = 0;
  let notInjected = 0;
  const end = new AbortController();
  const pod = {
    metadata: { generateName: 'steady-', annotations: { 'secrets.floe.dev/inject': secret } },
    spec: { containers: [{ name: 'app', image: 'app' }] },
  };
  const client = async (): Promise<void> => {
    while (!end.signal.aborted) {
      const { status, body } = await api.send('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All`, pod);
      answered += 1;
      if (status !== 201) failed.push(JSON.stringify(body));
      else if (!JSON.stringify(body).includes('"secretRef":{"name":')) notInjected += 1;
    }
  };
  const clients = [client(), client(), client(), client()];
  return {
    atLeast: async (more) => {
      const wanted = answered + more;
      await eventually(async () => {
        if (answered < wanted) throw new Error(`${answered} of ${wanted} answers`);
      });
    },
    stop: async () => {
      end.abort();
      await Promise.all(clients);
      return { answered, failed, notInjected };
    },
  };
}
