/** Every choice of values that brings kinds of its own, as Helm's arguments. */
export const VARIANTS: readonly (readonly string[])[] = [
  [],
  ['--set', 'controllers.separate=true,rbac.secretNamespaces={floe-jobs}'],
  ['--set', 'certificates.mode=cert-manager,metrics.serviceMonitor.enabled=true'],
  ['--set', 'metrics.prometheusRule.enabled=true,metrics.dashboard.enabled=true'],
];
