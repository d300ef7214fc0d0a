/** The parts of a Pod that decide what its containers see. */
export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec: {
    readonly nodeName?: string;
    readonly schedulerName?: string;
    readonly schedulingGates?: readonly unknown[];
    readonly restartPolicy?: string;
    readonly serviceAccountName?: string;
    readonly initContainers?: readonly Container[];
    readonly containers: readonly Container[];
    readonly volumes?: readonly Volume[];
  };
  readonly status?: { readonly phase?: string; readonly podIP?: string };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly restartPolicy?: string;
  readonly env?: readonly EnvVar[];
  readonly envFrom?: readonly EnvFrom[];
  readonly volumeMounts?: readonly VolumeMount[];
}

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: KeyReference;
    readonly configMapKeyRef?: KeyReference;
    readonly fieldRef?: { readonly fieldPath: string };
  };
}

export interface EnvFrom {
  readonly prefix?: string;
  readonly secretRef?: Reference;
  readonly configMapRef?: Reference;
}

interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly subPath?: string;
}

export interface Volume {
  readonly name: string;
  readonly secret?: { readonly secretName: string } & FileSource;
  readonly configMap?: { readonly name: string } & FileSource;
  readonly projected?: {
    readonly defaultMode?: number;
    readonly sources?: readonly {
      readonly secret?: { readonly name: string } & FileSource;
      readonly configMap?: { readonly name: string } & FileSource;
    }[];
  };
}

export interface FileSource {
  readonly optional?: boolean;
  readonly defaultMode?: number;
  readonly items?: readonly { readonly key: string; readonly path: string; readonly mode?: number }[];
}

interface Reference {
  readonly name: string;
  readonly optional?: boolean;
}

export interface KeyReference extends Reference {
  readonly key: string;
}

export type SourceKind = 'Secret' | 'ConfigMap';

/** The decoded data of a Secret or ConfigMap in the pod's namespace, or undefined when there is none. */
export type ReadSource = (kind: SourceKind, name: string) => Promise<ReadonlyMap<string, string> | undefined>;

/** The real kubelet's own words, so that a test of a message holds on a real node too. */
export function notFound(kind: SourceKind, name: string): string {
  return `${kind.toLowerCase()} ${JSON.stringify(name)} not found`;
}
