import type { ApiClient } from './api-client.ts';
import type { Kubelet } from './kubelet.ts';

interface Capabilities {
  /** Deployments make Pods, namespaces are emptied, default service accounts exist. */
  readonly controllers: boolean;
  /** What runs Pods: nothing, the stand-in that only reports, or a real kubelet. */
  readonly node: 'none' | 'fake' | 'real';
}

/** A Kubernetes to test against, whatever it runs on. */
export interface ControlPlane extends ApiClient {
  readonly kind: 'local' | 'kind' | 'existing';
  readonly server: string;
  /** PEM of the authority that signed the server's certificate. */
  readonly ca: string;
  /** The administrator's token; absent where the administrator is a client certificate. */
  readonly token: string | undefined;
  /** Path of a kubeconfig for the administrator. */
  readonly kubeconfig: string;
  readonly capabilities: Capabilities;
  /** The stand-in, when capabilities.node is 'fake'. */
  readonly kubelet: Kubelet | undefined;
  /** Writes a kubeconfig for another token, e.g. of a service account, and returns its path. */
  kubeconfigFor(token: string): string;
  /** What to put into a Service of type ExternalName so that the API server reaches this machine's port. */
  exposeWebhook(port: number): Promise<{ readonly externalName: string; readonly port: number }>;
  /** Puts the images of an archive, as `docker save` writes it, where pods find them; only with a real node. */
  loadImage(archive: string): Promise<void>;
  /** Stops the API server and starts it again on the same port with the same data. */
  restartApiServer(whileDown?: () => Promise<void>): Promise<void>;
  logs(): string;
  stop(): Promise<void>;
}
