import { resourceRef } from '../krm/resource';
import { type FieldPath, formatPath } from '../yaml/field-path';
import type { Result } from '../krm/result';
import { textOf } from '../yaml/yaml';
import type { Inspected } from '../rules/inspect';
import { pinnedImage } from '../rules/pinned-image';
import type { Source } from '../kustomize/source-finder';

/** What is told of a finding: an error, or an info where the configuration or an annotation lets it pass. */
export function toResult(
  { rule, finding, resource, path, exemption }: Inspected,
  overlay: string | undefined,
  source: Source | undefined,
  allowed: ReadonlySet<string>,
  redact: (text: string) => string,
): Result {
  const { what, field, currentValue, fixes } = finding;
  const mend = rule === pinnedImage.id && source?.isBehindImages === true ? 'pin it there' : finding.mend;
  const ref = resourceRef(resource);
  const isAllowed = allowed.has(rule);
  const isPassed = isAllowed || exemption !== undefined;
  const end =
    exemption !== undefined ? `exempt: ${exemption}` : isAllowed ? 'the configuration allows it here' : mend;
  const result: Result = {
    message:
      (overlay === undefined ? '' : `${overlay}: `) +
      `${ref.name === '' ? ref.kind : `${ref.kind}/${ref.name}`} ${what}` +
      `${source === undefined ? '' : ` (${source.label})`}; ${end}`,
    severity: isPassed ? 'info' : (finding.severity ?? 'error'),
    resourceRef: ref,
    field: {
      path: inList(path, field),
      ...(currentValue === undefined ? {} : { currentValue }),
      ...(fixes?.length === 1 && fixes[0] !== undefined ? { proposedValue: fixes[0].value } : {}),
    },
    ...(source === undefined ? {} : { file: { path: source.file } }),
    tags: { rule, ...(overlay === undefined ? {} : { overlay }) },
  };
  return redacted(result, redact);
}

/** A replacement may have carried a Secret's value anywhere. */
function redacted(result: Result, redact: (text: string) => string): Result {
  const { message, field } = result;
  const current = field?.currentValue;
  if (redact(message) === message && redact(textOf(current)) === textOf(current)) return result;
  return {
    ...result,
    message: redact(message),
    ...(field === undefined || current === undefined
      ? {}
      : { field: { ...field, currentValue: redact(textOf(current)) } }),
  };
}

function inList(path: FieldPath, field: string): string {
  return path.length === 0 ? field : `${formatPath(path)}.${field}`;
}
