{{/* The name of everything: the release's, with the chart's unless it holds it already. */}}
{{- define "punctual.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What selects the pods: never changes for a release. */}}
{{- define "punctual.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "punctual.labels" -}}
{{ include "punctual.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The labels and others beside them, of which the others win: a list of the context and a map. */}}
{{- define "punctual.labelsWith" -}}
{{- mergeOverwrite (include "punctual.labels" (first .) | fromYaml) (last .) | toYaml -}}
{{- end -}}

{{- define "punctual.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "punctual.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "punctual.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* What other values say already can't be said again by extraArgs and extraEnv. */}}
{{- define "punctual.refuseTwice" -}}
{{- $said := dict "--adopt" "adopt" "--namespace" "namespaces" "-n" "namespaces" "--selector" "selector" "-l" "selector"
  "--calendars" "calendars" "--cronjob-metrics" "metrics.cronJobs" "--metrics-listen" "metrics.port" "--log-format" "log.format"
  "--lease-name" "the release's name" "--lease-namespace" "the release's namespace"
  "--lease-duration" "leaseDurationSeconds" -}}
{{- range $argument := .Values.extraArgs -}}
{{- with get $said (splitList "=" $argument | first) -}}
{{- fail (printf "extraArgs: %s is given already, by %s" $argument .) -}}
{{- end -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- if eq (toString .name) "RUST_LOG" -}}
{{- fail "extraEnv: RUST_LOG is given already, by log.filter" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
What the controller does to CronJobs, Jobs and Events, and nothing else. In particular it reads no secrets, changes no
CronJob but its status, and touches no pods: deleting a Job leaves them to the garbage collector. What it reads beside
them can be switched off: pods (rbac.listPods), and ConfigMaps, of which RBAC can't tell calendars (calendars).
*/}}
{{- define "punctual.rules" -}}
- apiGroups: [batch]
  resources: [cronjobs]
  verbs: [get, list, watch]
- apiGroups: [batch]
  resources: [cronjobs/status]
  verbs: [patch]
# A Job that blocks its owner's deletion may be made only by who may set the owner's finalizers.
- apiGroups: [batch]
  resources: [cronjobs/finalizers]
  verbs: [update]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, delete]
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
{{- if .Values.rbac.listPods }}
# Why no pod of a run has started (punctual.dev/pending-deadline). Single ones are never asked for.
- apiGroups: [""]
  resources: [pods]
  verbs: [list]
{{- end }}
{{- if eq .Values.calendars "all" }}
{{ include "punctual.calendarRule" . }}
{{- end }}
{{- end -}}

{{/* Calendars are ConfigMaps (punctual.dev/exclude). There is no watch of them before a CronJob names one. */}}
{{- define "punctual.calendarRule" -}}
- apiGroups: [""]
  resources: [configmaps]
  verbs: [list, watch]
{{- end -}}

{{- define "punctual.subjects" -}}
- kind: ServiceAccount
  name: {{ include "punctual.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}
