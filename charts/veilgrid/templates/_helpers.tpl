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
