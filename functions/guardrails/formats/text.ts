import { type Finding, bySeverity } from '../findings/finding';
import { messageOf } from '../findings/print';
import { type Message, joinMessages, message, words } from '../message';

/** Errors and warnings, a line each: what a stream writes to standard error. */
export function printShort(findings: readonly Finding[]): Message[] {
  return bySeverity(findings)
    .filter(({ severity }) => severity !== 'info')
    .map((finding) => message`[${words(finding.severity)}] ${messageOf(finding)}`);
}

/** A heading of one build with its counts, then its findings. */
export function printBuild(
  build: { readonly overlay: string | undefined; readonly resources: number | undefined },
  findings: readonly Finding[],
): Message[] {
  const { overlay, resources } = build;
  const own =
    overlay === undefined ? findings : findings.filter(({ overlays }) => overlays.includes(overlay));
  const counts = (['error', 'warning', 'info'] as const).map((severity) =>
    count(own.filter((finding) => finding.severity === severity).length, severity),
  );
  const name = overlay === undefined ? words('stream') : message`${overlay}`;
  return [
    message`${name}: ${resources === undefined ? words('not built') : count(resources, 'resource')}, ${joinMessages(counts, ', ')}`,
    ...own.map((finding) => {
      const one = overlay === undefined ? finding : { ...finding, overlays: [overlay] };
      return message`  [${words(finding.severity)}] ${messageOf(one)}`;
    }),
  ];
}

/** One line for each changed resource: how many fields, and for which rules. `--diff` shows the rest. */
export function printChanges(changed: readonly Finding[]): Message[] {
  const byResource = new Map<string, Finding[]>();
  for (const finding of changed) {
    const key = JSON.stringify([finding.source?.file, finding.resource]);
    byResource.set(key, [...(byResource.get(key) ?? []), finding]);
  }
  return [...byResource.values()].flatMap((findings) => {
    const [first] = findings;
    if (first === undefined || findings.some(({ fixes }) => fixes === undefined))
      return findings.map(messageOf);
    const rules = [...new Set(findings.map(({ rule }) => rule ?? ''))].join(', ');
    return [
      messageOf({
        ...first,
        problem: message`gets ${count(findings.length, 'field')} to comply with ${words(rules)}`,
      }),
    ];
  });
}

/** `1 file`, `2 files`. */
export function count(n: number, noun: string): Message {
  return message`${n} ${words(n === 1 ? noun : `${noun}s`)}`;
}
