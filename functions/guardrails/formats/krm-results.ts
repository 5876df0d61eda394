import { type Finding, fingerprintOf } from '../findings/finding';
import { type Redact, escapeText, messageOf, printMessage } from '../findings/print';
import type { Result } from '../krm/result';
import { formatPath } from '../yaml/field-path';
import { type YamlValue, textOf } from '../yaml/yaml';

/** Findings as the results of a ResourceList. */
export function printKrmResults(findings: readonly Finding[], redact: Redact): Result[] {
  return findings.map((finding) => {
    const { severity, resource, field, fixes = [], source } = finding;
    const safe = (text: string) => escapeText(redact(text));
    const current = finding.currentValue;
    const proposed = fixes.length === 1 ? fixes[0]?.value : undefined;
    return {
      message: printMessage(messageOf(finding), redact),
      severity,
      ...(resource === undefined
        ? {}
        : {
            resourceRef: {
              apiVersion: safe(resource.apiVersion),
              kind: safe(resource.kind),
              name: safe(resource.name),
              ...(resource.namespace === undefined ? {} : { namespace: safe(resource.namespace) }),
            },
          }),
      ...(field === undefined
        ? {}
        : {
            field: {
              path: safe(formatPath(field)),
              ...(current === undefined ? {} : { currentValue: redactValue(current, redact) }),
              ...(proposed === undefined ? {} : { proposedValue: proposed }),
            },
          }),
      ...(source === undefined ? {} : { file: { path: source.file } }),
      tags: tagsOf(finding, redact),
    };
  });
}

/** What a result has no field for. */
function tagsOf(finding: Finding, redact: Redact): Record<string, string> {
  const { rule, overlays, documentation, source } = finding;
  return {
    ...(rule === undefined ? {} : { rule }),
    ...(overlays.length === 0 ? {} : { overlay: escapeText(redact(overlays.join(', '))) }),
    ...(source?.line === undefined ? {} : { line: String(source.line) }),
    ...(source?.column === undefined ? {} : { column: String(source.column) }),
    ...(documentation === undefined ? {} : { documentation }),
    ...(rule === undefined ? {} : { fingerprint: fingerprintOf(finding) }),
  };
}

function redactValue(value: YamlValue, redact: Redact): YamlValue {
  const text = textOf(value);
  const redacted = redact(text);
  return redacted === text ? value : redacted;
}
