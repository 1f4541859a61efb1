{{- define "fleetform.labels" -}}
app.kubernetes.io/name: fleetform
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}
{{- define "fleetform.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end -}}
