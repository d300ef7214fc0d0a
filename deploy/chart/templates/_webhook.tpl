{{/* One webhook: {root, name, path, policy, rules, expressions, mutates}. The caBundle is the program's to write. */}}
{{- define "fsw.webhook" -}}
{{- $values := .root.Values -}}
{{- $facts := include "fsw.facts" .root | fromYaml -}}
{{- $exempt := concat $facts.exemptNamespaces (dig "enforcement" "exempt" "namespaces" (list) $values.config) (list .root.Release.Namespace) | uniq -}}
- name: {{ .name }}
  clientConfig:
    service:
      namespace: {{ .root.Release.Namespace }}
      name: {{ include "fsw.fullname" .root }}
      path: {{ .path }}
      port: {{ $values.service.port }}
  rules:
    {{- toYaml .rules | nindent 4 }}
  namespaceSelector:
    matchLabels:
      secrets.floe.dev/injection: enabled
    matchExpressions:
      - key: kubernetes.io/metadata.name
        operator: NotIn
        values:
          {{- toYaml $exempt | nindent 10 }}
      {{- with concat .expressions $values.webhook.namespaceExpressions }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
  {{- if .mutates }}
  objectSelector:
    matchExpressions:
      - key: secrets.floe.dev/injection
        operator: NotIn
        values: [disabled]
  reinvocationPolicy: {{ $values.webhook.reinvocationPolicy }}
  {{- end }}
  admissionReviewVersions: [v1]
  failurePolicy: {{ .policy }}
  matchPolicy: Equivalent
  sideEffects: NoneOnDryRun
  timeoutSeconds: {{ $values.webhook.timeoutSeconds }}
{{- end }}
