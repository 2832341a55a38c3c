{{- define "openshell.name" -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "openshell.labels" -}}
app.kubernetes.io/name: openshell
app.kubernetes.io/component: gateway
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "openshell.allLabels" -}}
{{ include "openshell.labels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "openshell.sandboxLabels" -}}
app.kubernetes.io/name: openshell
app.kubernetes.io/component: sandbox
{{- end }}

{{- define "openshell.hosts" -}}
- {{ include "openshell.name" . }}
- {{ include "openshell.name" . }}.{{ .Release.Namespace }}
- {{ include "openshell.name" . }}.{{ .Release.Namespace }}.svc
{{- range .Values.service.names }}
- {{ . | quote }}
{{- end }}
{{- end }}
