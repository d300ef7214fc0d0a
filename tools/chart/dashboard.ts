// deploy/chart/files/dashboard.json: a Grafana dashboard, one panel for each question that somebody on call asks.

interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly queries: readonly (readonly [query: string, legend: string])[];
}

const REQUESTS = 'floe_secrets_admission_requests_total';
const DURATION = 'floe_secrets_admission_duration_seconds_bucket';

const PANELS: readonly Panel[] = [
  {
    title: 'Reviews',
    unit: 'reqps',
    queries: [[`sum by (operation, result) (rate(${REQUESTS}[5m]))`, '{{operation}} {{result}}']],
  },
  {
    title: 'Refusals, by code and namespace',
    unit: 'reqps',
    queries: [
      [`sum by (code, namespace) (rate(${REQUESTS}{result="denied"}[5m]))`, '{{code}} {{namespace}}'],
    ],
  },
  {
    title: 'Time of a review',
    unit: 's',
    queries: [0.5, 0.99].map((share) => [
      `histogram_quantile(${share}, sum by (le) (rate(${DURATION}[5m])))`,
      `p${share * 100}`,
    ]),
  },
  {
    title: 'Secrets injected',
    unit: 'ops',
    queries: [['sum by (plugin) (rate(floe_secrets_injected_total[5m]))', '{{plugin}}']],
  },
  {
    title: 'Looks into the memory of Secrets',
    unit: 'ops',
    queries: [['sum by (result) (rate(floe_secrets_cache_operations_total[5m]))', '{{result}}']],
  },
  {
    title: 'Certificate, time left',
    unit: 's',
    queries: [['min by (pod) (floe_secrets_certificate_expiry_seconds)', '{{pod}}']],
  },
  {
    title: 'Memory',
    unit: 'bytes',
    queries: [['process_resident_memory_bytes{job=~".*floe-secrets-webhook.*"}', '{{pod}}']],
  },
  {
    title: 'CPU',
    unit: 'percentunit',
    queries: [['rate(process_cpu_seconds_total{job=~".*floe-secrets-webhook.*"}[5m])', '{{pod}}']],
  },
  {
    title: 'Pods that wait, or missed their injection',
    unit: 'short',
    queries: [
      [
        'sum by (namespace) (max by (namespace, overdue) (floe_secrets_gated_pods))',
        'waiting in {{namespace}}',
      ],
      ['max by (namespace) (floe_secrets_missed_pods)', 'missed in {{namespace}}'],
    ],
  },
  {
    title: 'Secrets whose sync fails',
    unit: 'short',
    queries: [
      [
        'count by (namespace, plugin) (max by (namespace, secret, plugin) (floe_secrets_sync_ready) == 0)',
        '{{namespace}} {{plugin}}',
      ],
    ],
  },
  {
    title: 'Restarts for changed Secrets',
    unit: 'short',
    queries: [['sum by (kind, result) (increase(floe_secrets_reloads_total[1h]))', '{{kind}} {{result}}']],
  },
  {
    title: 'Overload, by what is done',
    unit: 'ops',
    queries: [['sum by (action) (rate(floe_secrets_overload_total[5m]))', '{{action}}']],
  },
  {
    title: 'Event loop, lag',
    unit: 's',
    queries: [
      ['max by (pod) (nodejs_eventloop_lag_p99_seconds{job=~".*floe-secrets-webhook.*"})', '{{pod}}'],
    ],
  },
];

const [WIDTH, HEIGHT] = [12, 8];

export function dashboard(): string {
  const board = {
    uid: 'floe-secrets-webhook',
    title: 'floe-secrets-webhook',
    tags: ['floe'],
    timezone: 'browser',
    schemaVersion: 39,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    templating: {
      list: [{ name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Data source' }],
    },
    panels: PANELS.map((panel, index) => panelOf(panel, index)),
  };
  return `${JSON.stringify(board, undefined, 2)}\n`;
}

function panelOf({ title, unit, queries }: Panel, index: number): object {
  const datasource = { type: 'prometheus', uid: '${datasource}' };
  return {
    id: index + 1,
    type: 'timeseries',
    title,
    datasource,
    gridPos: { x: (index % 2) * WIDTH, y: Math.floor(index / 2) * HEIGHT, w: WIDTH, h: HEIGHT },
    fieldConfig: { defaults: { unit }, overrides: [] },
    targets: queries.map(([expr, legendFormat], number) => ({
      refId: String.fromCharCode(65 + number),
      datasource,
      expr,
      legendFormat,
    })),
  };
}
