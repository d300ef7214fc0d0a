import { describe, expect, test } from 'vitest';
import { translateTemplate } from '../../src/migrate/eso-template.ts';

const VARIABLES = new Map([
  ['user', '.DB_USER.Value'],
  ['password', '.DB_PASSWORD.Value'],
  ['crt', '(index . "tls.crt").Value'],
]);

describe('a template of External Secrets becomes one of Infisical', () => {
  test.each([
    ['plain text', 'plain text'],
    ['{{ .user }}', '{{ .DB_USER.Value }}'],
    [
      'postgres://{{ .user }}:{{ .password | urlquery }}@db/{{ .user }}',
      'postgres://{{ .DB_USER.Value }}:{{ .DB_PASSWORD.Value | urlquery }}@db/{{ .DB_USER.Value }}',
    ],
    ['{{- .user | trim | b64enc -}}', '{{- .DB_USER.Value | trim | b64enc -}}'],
    ['{{ index . "user" }}', '{{ .DB_USER.Value }}'],
    ['{{ printf "%s.user %s" .user ".user" }}', '{{ printf "%s.user %s" .DB_USER.Value ".user" }}'],
    ['{{ printf `.user` }}', '{{ printf `.user` }}'],
    ['{{ .crt }}', '{{ (index . "tls.crt").Value }}'],
    [
      '{{ if eq .user "floe" }}a{{ else }}b{{ end }}',
      '{{ if eq .DB_USER.Value "floe" }}a{{ else }}b{{ end }}',
    ],
    ['{{/* .user */}}x', '{{/* .user */}}x'],
    ['{{ printf "%.2f" 1.5 }}', '{{ printf "%.2f" 1.5 }}'],
    ['a\n{{ .user\n}}', 'a\n{{ .DB_USER.Value\n}}'],
  ])('%j', (template, text) => expect(translateTemplate(template, VARIABLES)).toEqual({ text }));

  test.each([
    ['{{ range $k, $v := . }}{{ end }}', "it has 'range'"],
    ['{{- with .user }}{{ . }}{{ end }}', "it has 'with'"],
    ['{{ template "x" }}', "it has 'template'"],
    ['{{ $x := .user }}', 'it has the variable $x'],
    ['{{ . | toJson }}', 'it uses all values at once'],
    ['{{ .nobody }}', "it uses 'nobody', which no entry of data gives"],
    ['{{ .user.name }}', "it looks into 'user'"],
  ])('but %j', (template, why) => expect(translateTemplate(template, VARIABLES)).toEqual({ why }));
});
