import type { Inspected } from '../../functions/guardrails/findings/finding';
import { type Item, readItem } from '../../functions/guardrails/krm/item';
import { resourceRef } from '../../functions/guardrails/krm/resource';
import { placeInFile, placeOfFinding } from '../../functions/guardrails/kustomize/source-place';
import { words } from '../../functions/guardrails/message';
import type { FieldPath } from '../../functions/guardrails/yaml/field-path';
import { type YamlObject, parseYaml, valueOf } from '../../functions/guardrails/yaml/yaml';

function documents(...texts: string[]): Item[] {
  return texts.flatMap((text, index) => {
    const range = { start: 0, end: text.length, column: 0 };
    return readItem(text, 'w', range, { path: 'base/web.yaml', index }) ?? [];
  });
}

function finding(text: string, field: FieldPath): Inspected {
  const root = valueOf(parseYaml(text, 'w')[0] ?? null) as YamlObject;
  const resource = resourceRef(root);
  return { root, finding: { severity: 'error', problem: words('is bad'), resource, field, overlays: [] } };
}

const CONFIG_MAP = 'kind: ConfigMap\nmetadata:\n  name: web\n';
const WEB = `kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
        - name: web
          image: web:v1
        - name: log
          image: log:v1
`;
const containers = (...names: string[]) =>
  `kind: Deployment\nmetadata: {name: prod-web}\nspec: {template: {spec: {containers: [${names.map((name) => `{name: ${name}, image: x}`).join(', ')}]}}}\n`;
const field = (i: number, ...rest: string[]): FieldPath => [
  'spec',
  'template',
  'spec',
  'containers',
  i,
  ...rest,
];

describe('the place of a finding in the file of its resource', () => {
  test.each<[string, Item[], Inspected, number]>([
    ['the field', documents(WEB), finding(containers('web', 'log'), field(1, 'image')), 11],
    ['lists in another order', documents(WEB), finding(containers('log', 'web'), field(1, 'image')), 9],
    ['the entry of a missing field', documents(WEB), finding(containers('log', 'web'), field(0, 'x')), 10],
    ['the list of a missing entry', documents(WEB), finding(containers('new', 'web'), field(0, 'x')), 7],
    ['another kind first', documents(CONFIG_MAP, WEB), finding(containers('web'), field(0, 'image')), 13],
    [
      'the longest name',
      documents(WEB.replace('name: web', 'name: w'), WEB),
      finding(containers('web'), field(0, 'image')),
      21,
    ],
    [
      'a List',
      documents(
        `kind: List\nitems:\n- ${CONFIG_MAP.replaceAll('\n', '\n  ')}\n- ${WEB.replaceAll('\n', '\n  ')}`,
      ),
      finding(containers('web'), field(0, 'image')),
      15,
    ],
    [
      'a patch with another name',
      documents(CONFIG_MAP, WEB.replace('name: web', 'name: any')),
      finding(containers('log'), field(0, 'image')),
      15,
    ],
    ['a file without the kind', documents(CONFIG_MAP), finding(containers('web'), field(0, 'image')), 1],
  ])('%s', (_, file, one, line) => {
    expect(placeOfFinding(file, one)).toMatchObject({ line });
  });

  test('the namespace decides between equal names', () => {
    const inNamespace = (namespace: string) =>
      `kind: Pod\nmetadata: {name: a, namespace: ${namespace}}\nspec: {}\n`;
    const one = finding(inNamespace('y'), ['spec']);
    expect(placeOfFinding(documents(inNamespace('x'), inNamespace('y')), one)).toEqual({
      line: 7,
      column: 1,
    });
  });
});

test('the place of an entry of a kustomization', () => {
  const file = documents('resources: [a.yaml]\nimages:\n  - name: a\n  - name: b\n');
  expect(placeInFile(file, file[0], ['images', 1])).toMatchObject({ line: 4 });
  expect(placeInFile(file, undefined, [])).toEqual({});
});
