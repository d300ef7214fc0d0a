{{/* A role and its binding: {root, name, rules, accounts, and where: cluster or namespace} */}}
{{- define "fsw.grant" -}}
{{- if .rules }}
{{- $kind := ternary "ClusterRole" "Role" (default false .cluster) }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}
metadata:
  {{- include "fsw.metadata" . | nindent 2 }}
rules:
  {{- /* The program knows itself by its default name. */}}
  {{- toYaml .rules | replace "{name}" (include "fsw.fullname" .root) | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
metadata:
  {{- include "fsw.metadata" . | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $kind }}
  name: {{ .name }}
subjects:
  {{- range .accounts }}
  - kind: ServiceAccount
    name: {{ . }}
    namespace: {{ $.root.Release.Namespace }}
  {{- end }}
{{- end }}
{{- end }}
