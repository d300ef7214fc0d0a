{{- define "fsw.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The installation's name: of the Service, both configurations, and the prefix of everything else. */}}
{{- define "fsw.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains (include "fsw.name" .) .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "fsw.name" .) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "fsw.selectorLabels" -}}
app.kubernetes.io/name: {{ include "fsw.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "fsw.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "fsw.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: floe
{{- with .Values.global.environment }}
floe.dev/environment: {{ . }}
{{- end }}
{{- with .Values.global.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* metadata of an object: {root, name, and where they differ: namespace, annotations, component} */}}
{{- define "fsw.metadata" -}}
{{- $root := .root -}}
name: {{ .name }}
{{- if not .cluster }}
namespace: {{ default $root.Release.Namespace .namespace }}
{{- end }}
labels:
  {{- include "fsw.labels" $root | nindent 2 }}
  {{- with .component }}
  app.kubernetes.io/component: {{ . }}
  {{- end }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge (dict) (default (dict) .annotations) $root.Values.global.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "fsw.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "fsw.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "fsw.image" -}}
{{- with .Values.image }}
{{- $repository := .repository }}
{{- if .registry }}
{{- $repository = printf "%s/%s" .registry (regexReplaceAll "^[^/]*[.:][^/]*/" .repository "") }}
{{- end }}
{{- if .digest }}
{{- printf "%s@%s" $repository .digest }}
{{- else }}
{{- printf "%s:%s" $repository (default $.Chart.AppVersion .tag) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "fsw.pullSecrets" -}}
{{- with concat .Values.global.imagePullSecrets .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ if kindIs "string" . }}{{ . }}{{ else }}{{ .name }}{{ end }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Where the certificate is mounted; '' where the program keeps it itself. */}}
{{- define "fsw.certificateSecret" -}}
{{- if eq .Values.certificates.mode "files" }}
{{- required "certificates.mode=files needs certificates.existingSecret, the name of a Secret with tls.crt and tls.key" .Values.certificates.existingSecret }}
{{- else if eq .Values.certificates.mode "cert-manager" }}
{{- include "fsw.fullname" . }}-tls
{{- end }}
{{- end }}

{{/* The program's settings: what the user said, and what only the chart knows. */}}
{{- define "fsw.config" -}}
{{- $config := deepCopy .Values.config }}
{{- $said := dig "certificates" "mode" .Values.certificates.mode $config }}
{{- if ne $said .Values.certificates.mode }}
{{- fail (printf "config.certificates.mode is %s and certificates.mode is %s: say it in certificates.mode" $said .Values.certificates.mode) }}
{{- end }}
{{- $exempt := dig "enforcement" "exempt" "namespaces" (list) $config }}
{{- $server := dict "port" 8443 "opsPort" 8080 }}
{{- if include "fsw.certificateSecret" . }}
{{- $_ := set $server "certDir" "/etc/floe/certificates" }}
{{- end }}
{{- $webhook := dict "name" (include "fsw.fullname" .) "failClosed" (eq .Values.webhook.failurePolicy "auto") }}
{{- if .Values.certificates.clientCAConfigMap }}
{{- $_ := set $webhook "clientCA" "/etc/floe/client-ca/ca.crt" }}
{{- end }}
{{- $ours := dict
  "apiVersion" "floe.dev/v1alpha1"
  "kind" "SecretsWebhookConfig"
  "server" $server
  "webhook" $webhook
  "certificates" (dict "mode" .Values.certificates.mode)
  "enforcement" (dict "exempt" (dict "namespaces" (append $exempt .Release.Namespace | uniq)))
}}
{{- mergeOverwrite $config $ours | toYaml }}
{{- end }}

{{/* Generated facts of the program: rules, names, namespaces. */}}
{{- define "fsw.facts" -}}
{{- .Files.Get "files/facts.yaml" }}
{{- end }}

{{/* The plugins that run, as a JSON list of ids. */}}
{{- define "fsw.plugins" -}}
{{- $facts := include "fsw.facts" . | fromYaml }}
{{- $enabled := dig "plugins" "enabled" "auto" .Values.config }}
{{- $ids := list }}
{{- range $facts.plugins }}
{{- $plugin := . }}
{{- if kindIs "string" $enabled }}
{{- $ids = append $ids .id }}
{{- else }}
{{- range $enabled }}
{{- if has . (append $plugin.aliases $plugin.id) }}
{{- $ids = append $ids $plugin.id }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- $ids | uniq | toJson }}
{{- end }}

{{/* Whether a feature is on: {root, feature}. '' is no. */}}
{{- define "fsw.isOn" -}}
{{- if eq .feature.setting "" }}yes{{ else }}
{{- $value := .feature.default }}
{{- $at := include "fsw.config" .root | fromYaml }}
{{- $found := true }}
{{- range splitList "." .feature.setting }}
{{- if and $found (kindIs "map" $at) (hasKey $at .) }}
{{- $at = get $at . }}
{{- else }}
{{- $found = false }}
{{- end }}
{{- end }}
{{- if $found }}{{ $value = $at }}{{ end }}
{{- if eq (toString $value) (toString .feature.is) }}yes{{ end }}
{{- end }}
{{- end }}

{{- define "fsw.checksum" -}}
checksum/config: {{ include "fsw.config" . | sha256sum }}
{{- end }}
