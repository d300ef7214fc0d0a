{{/* The pod of a hook, which runs one command: {root, component, serviceAccount, args} */}}
{{- define "fsw.once" -}}
{{- $values := .root.Values -}}
metadata:
  labels:
    {{- include "fsw.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  restartPolicy: Never
  serviceAccountName: {{ .serviceAccount }}
  {{- include "fsw.pullSecrets" .root | nindent 2 }}
  enableServiceLinks: false
  securityContext:
    runAsNonRoot: true
    runAsUser: 1000
    runAsGroup: 1000
    seccompProfile:
      type: RuntimeDefault
  containers:
    - name: {{ .component }}
      image: {{ include "fsw.image" .root }}
      imagePullPolicy: {{ default $values.image.pullPolicy $values.global.imagePullPolicy }}
      args:
        {{- toYaml .args | nindent 8 }}
      resources:
        {{- toYaml $values.resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: [ALL]
  {{- with $values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
