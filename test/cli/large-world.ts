/** A cluster of so many resources, in fifty namespaces: half of them Secrets, the others pods that use them. */
export function largeWorld(count: number): string {
  const namespaces = Array.from({ length: 50 }, (_, index) => `team-${index}`);
  const placed = Array.from({ length: count / 2 }, (_, index) => ({
    index,
    namespace: namespaces[index % namespaces.length],
  }));
  const items = [
    ...namespaces.map((name) => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { 'secrets.floe.dev/injection': 'enabled' } },
    })),
    ...placed.map(({ index, namespace }) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: `secret-${index}`, namespace, resourceVersion: String(index) },
      data: { PASSWORD: '' },
    })),
    ...placed.map(({ index, namespace }) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: `pod-${index}`,
        namespace,
        annotations: { 'secrets.floe.dev/inject': `secret-${index}` },
      },
      spec: {
        containers: [{ name: 'main', image: 'main', envFrom: [{ secretRef: { name: `secret-${index}` } }] }],
      },
      status: { phase: 'Running' },
    })),
  ];
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}
