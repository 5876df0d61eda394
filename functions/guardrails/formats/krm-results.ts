import { type Finding, fingerprintOf } from '../findings/finding';
import { type Redact, messageOf, printMessage } from '../findings/print';
import type { Result } from '../krm/result';
import { Message, Quoted } from '../message';
import { formatPath } from '../yaml/field-path';
import { textOf } from '../yaml/yaml';

/** Findings as the results of a ResourceList. */
export function printKrmResults(findings: readonly Finding[], redact: Redact): Result[] {
  const safe = (text: string) => printMessage(new Message([new Quoted(text, Infinity)]), redact);
  return findings.map((finding) => {
    const { severity, resource, field, currentValue, fixes = [], source, rule, overlays } = finding;
    const current = textOf(currentValue);
    const isSecret = redact(current) !== current;
    const hasTags = rule !== undefined || overlays.length > 0 || source?.line !== undefined;
    return {
      message: printMessage(messageOf(finding), redact),
      severity,
      resourceRef: resource && {
        apiVersion: safe(resource.apiVersion),
        kind: safe(resource.kind),
        name: safe(resource.name),
        namespace: resource.namespace && safe(resource.namespace),
      },
      field: field && {
        path: safe(formatPath(field)),
        currentValue: isSecret ? redact(current) : currentValue,
        proposedValue: fixes.length === 1 ? fixes[0]?.value : undefined,
      },
      file: source && { path: source.file },
      // What a result has no field for.
      tags: hasTags
        ? {
            rule,
            overlay: overlays.length === 0 ? undefined : safe(overlays.join(', ')),
            line: source?.line?.toString(),
            column: source?.column?.toString(),
            documentation: finding.documentation,
            fingerprint: rule && fingerprintOf(finding),
          }
        : undefined,
    };
  });
}
