{{- define "veilgrid.labels" -}}
app.kubernetes.io/name: veilgrid-operator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}
{{- define "veilgrid.selector" -}}
app.kubernetes.io/name: veilgrid-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- define "veilgrid.name" -}}
{{ printf "%s-operator" .Release.Name | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- define "veilgrid.seed" -}}
{{ .Values.existingSeed | default (printf "%s-seed" (include "veilgrid.name" .)) }}
{{- end }}
{{- define "veilgrid.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}
{{- define "veilgrid.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}
{{- define "veilgrid.testLabels" -}}
app.kubernetes.io/name: veilgrid-operator-test
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- define "veilgrid.hookLabels" -}}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
{{- /* Whether the chart installs what keeps queues from taking a party back (queue.yaml): of the whole cluster, and so not for an operator of some namespaces. */}}
{{- define "veilgrid.letGo" -}}
{{- if and (.Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy") (not .Values.watchNamespaces) }}true{{ end }}
{{- end }}
