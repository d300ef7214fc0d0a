/** The instruments of the leader's controllers, made of their table. */
import type { Registry } from 'prom-client';
import { Counter, Gauge } from 'prom-client';
import type { CounterName, GaugeName, Telemetry } from '../cluster/telemetry.ts';
import { COUNTERS, GAUGES } from '../cluster/telemetry.ts';

export function createTelemetry(registry: Registry): Telemetry {
  const registers = [registry];
  const gauges = new Map(
    Object.entries(GAUGES).map(([name, { help, labels }]) => [
      name as GaugeName,
      new Gauge({ name, help, labelNames: [...labels], registers }),
    ]),
  );
  const counters = new Map(
    Object.entries(COUNTERS).map(([name, { help, labels }]) => [
      name as CounterName,
      new Counter({ name, help, labelNames: [...labels], registers }),
    ]),
  );
  return {
    gauge(name, rows) {
      const gauge = gauges.get(name);
      gauge?.reset();
      for (const { labels, value } of rows) gauge?.set({ ...labels }, value);
    },
    count: (name, labels, many = 1) => counters.get(name)?.inc({ ...labels }, many),
  };
}
