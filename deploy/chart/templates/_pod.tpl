{{/* A Deployment of the program: {root, name, component, replicas, resources, serviceAccount, env} */}}
{{- define "fsw.deployment" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "fsw.metadata" (dict "root" $root "name" .name "component" .component) | nindent 2 }}
spec:
  replicas: {{ .replicas }}
  # A new replica is ready before an old one goes.
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 0
      maxSurge: 1
  selector:
    matchLabels:
      {{- include "fsw.selectorLabels" $root | nindent 6 }}
      app.kubernetes.io/component: {{ .component }}
  template:
    metadata:
      labels:
        {{- include "fsw.labels" $root | nindent 8 }}
        app.kubernetes.io/component: {{ .component }}
        {{- with $values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      annotations:
        {{- include "fsw.checksum" $root | nindent 8 }}
        {{- with merge (dict) $values.podAnnotations $values.global.commonAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ .serviceAccount }}
      {{- include "fsw.pullSecrets" $root | nindent 6 }}
      enableServiceLinks: false
      {{- with $values.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      terminationGracePeriodSeconds: {{ $values.terminationGracePeriodSeconds }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 1000
        runAsGroup: 1000
        fsGroup: 1000
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: {{ .component }}
          image: {{ include "fsw.image" $root }}
          imagePullPolicy: {{ default $values.image.pullPolicy $values.global.imagePullPolicy }}
          args: [serve]
          env:
            - name: OTEL_SERVICE_NAME
              value: floe-secrets-webhook
            {{- with $values.tracing }}
            {{- if .endpoint }}
            - name: OTEL_EXPORTER_OTLP_ENDPOINT
              value: {{ .endpoint | quote }}
            {{- if .protocol }}
            - name: OTEL_EXPORTER_OTLP_PROTOCOL
              value: {{ .protocol | quote }}
            {{- end }}
            {{- if lt (float64 .ratio) 1.0 }}
            - name: OTEL_TRACES_SAMPLER
              value: parentbased_traceidratio
            - name: OTEL_TRACES_SAMPLER_ARG
              value: {{ .ratio | quote }}
            {{- end }}
            {{- end }}
            {{- end }}
            {{- with .env }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
            {{- with $values.env }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          ports:
            - name: webhook
              containerPort: 8443
              protocol: TCP
            - name: http
              containerPort: 8080
              protocol: TCP
          startupProbe:
            httpGet:
              path: /healthz
              port: http
            periodSeconds: 1
            failureThreshold: 60
          livenessProbe:
            httpGet:
              path: /healthz
              port: http
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          readinessProbe:
            httpGet:
              path: /readyz
              port: http
            periodSeconds: 2
            timeoutSeconds: 2
            failureThreshold: 2
          {{- if $values.preStopSeconds }}
          lifecycle:
            preStop:
              sleep:
                seconds: {{ $values.preStopSeconds }}
          {{- end }}
          {{- with .resources }}
          resources:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
          volumeMounts:
            - name: config
              mountPath: /etc/floe/secrets
              readOnly: true
            {{- if include "fsw.certificateSecret" $root }}
            - name: certificates
              mountPath: /etc/floe/certificates
              readOnly: true
            {{- end }}
            {{- if $values.certificates.clientCAConfigMap }}
            - name: client-ca
              mountPath: /etc/floe/client-ca
              readOnly: true
            {{- end }}
      volumes:
        - name: config
          configMap:
            name: {{ include "fsw.fullname" $root }}
        {{- with include "fsw.certificateSecret" $root }}
        - name: certificates
          secret:
            secretName: {{ . }}
            defaultMode: 0440
        {{- end }}
        {{- with $values.certificates.clientCAConfigMap }}
        - name: client-ca
          configMap:
            name: {{ . }}
        {{- end }}
      {{- with $values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      topologySpreadConstraints:
        {{- if $values.topologySpreadConstraints }}
        {{- toYaml $values.topologySpreadConstraints | nindent 8 }}
        {{- else }}
        {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
        - maxSkew: 1
          topologyKey: {{ . }}
          whenUnsatisfiable: ScheduleAnyway
          # Of one generation: those that a rollout replaces do not count.
          matchLabelKeys: [pod-template-hash]
          labelSelector:
            matchLabels:
              {{- include "fsw.selectorLabels" $root | nindent 14 }}
              app.kubernetes.io/component: {{ $.component }}
        {{- end }}
        {{- end }}
{{- end }}
