import { redactor } from '../../functions/guardrails/findings/redact';
import { readItem } from '../../functions/guardrails/krm/item';
import { readWire } from '../../functions/guardrails/krm/wire';
import { annotationNames } from '../../functions/guardrails/kubernetes/annotation-names';
import { parseQuantity } from '../../functions/guardrails/kubernetes/quantity';
import { writablePathsOf } from '../../functions/guardrails/kubernetes/writable-paths';
import { words } from '../../functions/guardrails/message';
import { RULES } from '../../functions/guardrails/rules';
import { checkAnnotations } from '../../functions/guardrails/rules/annotations';
import { readExemptions } from '../../functions/guardrails/rules/exemptions';
import { editDocument } from '../../functions/guardrails/yaml/edit';
import { canFix, withFixes } from '../../functions/guardrails/yaml/field-path';
import { decodeText, splice } from '../../functions/guardrails/yaml/text';
import { mappingOf, parseYaml, valueOf } from '../../functions/guardrails/yaml/yaml';
import { refusalOf } from '../support/refusal';

const MANY = 80_000;
/** Milliseconds. Linear time is seconds at most, also on a busy machine; quadratic time was minutes. */
const LIMIT = 30_000;

const many = (text: (i: number) => string, n = MANY) => Array.from({ length: n }, (_, i) => text(i)).join('');

function inTime<T>(work: () => T): T {
  const start = performance.now();
  const result = work();
  expect(performance.now() - start).toBeLessThan(LIMIT);
  return result;
}

/** Not toBe, whose diff of such texts takes minutes. */
function expectText(found: string, expected: string): void {
  let at = 0;
  while (at < expected.length && found[at] === expected[at]) at++;
  expect(found.slice(at, at + 100)).toBe(expected.slice(at, at + 100));
}

const deployment = (annotations: Record<string, string>, containers: string[] = []) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', annotations },
  spec: { template: { spec: { containers: containers.map((name) => ({ name })) } } },
});

describe(`time grows no faster than the object: ${MANY} entries`, () => {
  test('fixes of entries of a list', () => {
    const list = Array.from({ length: MANY }, (_, i) => mappingOf({ name: `c${i}` }));
    const fixes = list.map((_, i) => ({ path: ['list', i, 'k'], value: true }));
    const fixed = inTime(() => withFixes(mappingOf({ list }), fixes));
    expect(fixed?.list).toHaveLength(MANY);
    expect(Array.isArray(fixed?.list) && fixed.list.at(-1)).toEqual({ name: `c${MANY - 1}`, k: true });
    expect(inTime(() => fixes.every((fix) => canFix(mappingOf({ list }), [fix])))).toBe(true);
  });

  test('fixes that append to a list', () => {
    const fixes = Array.from({ length: MANY }, (_, i) => ({ path: ['list', '-'], value: i }));
    const list = inTime(() => withFixes(mappingOf({ list: ['a'] }), fixes))?.list;
    expect(Array.isArray(list) && [list.length, list[0], list[1], list.at(-1)]).toEqual([
      MANY + 1,
      'a',
      0,
      MANY - 1,
    ]);
  });

  test('edits of JSON on one line', () => {
    const n = MANY / 2;
    const text = `{"list": [${many((i) => `{"name": "c${i}", "set": {}}, `, n)}{}]}`;
    const fixes = Array.from({ length: n }, (_, i) => ({ path: ['list', i, 'set', 'k'], value: true }));
    const edited = inTime(() => splice(text, editDocument(text, fixes, 'w')));
    expectText(edited, `{"list": [${many((i) => `{"name": "c${i}", "set": {"k": true}}, `, n)}{}]}`);
  });

  test('items without a value in a list', () => {
    const text = `list:\n${many(() => '-\n')}`;
    const fixes = Array.from({ length: MANY }, (_, i) => ({ path: ['list', i, 'k'], value: true }));
    const edited = inTime(() => splice(text, editDocument(text, fixes, 'w')));
    expectText(edited, `list:\n${many(() => '- {k: true}\n')}`);
    const appended = inTime(() => splice(text, editDocument(text, [{ path: ['list', '-'], value: 1 }], 'w')));
    expectText(appended, `${text}- 1\n`);
  });

  test('merge keys in a chain', () => {
    const text = `a0: &a0 {k: v}\n${many((i) => `a${i + 1}: &a${i + 1} {<<: *a${i}, k${i}: v}\n`, 650)}`;
    const value = inTime(() => valueOf(parseYaml(text, 'w')[0] ?? null)) as Record<string, object>;
    expect(Object.keys(value.a650 ?? {})).toHaveLength(651);
  });

  test('aliases of one mapping', () => {
    const text = `a: &a {a: v}\nlist:\n${many(() => '- *a\n')}`;
    const fixes = Array.from({ length: MANY }, (_, i) => ({ path: ['list', i, 'k'], value: true }));
    const edited = inTime(() => splice(text, editDocument(text, fixes, 'w')));
    expectText(edited, `a: &a {a: v}\nlist:\n${many(() => '- {a: v, k: true}\n')}`);
  });

  test('line separators in quotes', () => {
    const text = many((i) => `k${i}: "a\u2028b"\n`, 4 * MANY);
    expectText(
      inTime(() => decodeText(Buffer.from(text), 'w')),
      text,
    );
    expect(refusalOf(() => decodeText(Buffer.from(`${text}k: a\u2028b\n`), 'w'))).toMatch(
      `w:${4 * MANY + 1}: U+0085`,
    );
  });

  test('keys of a ResourceList', () => {
    const list = 'apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n';
    const item = 'items:\n- apiVersion: v1\n  kind: ConfigMap\n';
    const keys = many((i) => `k${i}: v\n`, 4 * MANY);
    expect(inTime(() => readWire(list + item + keys)).items).toHaveLength(1);
    expect(refusalOf(() => readWire(`${list}${item}${keys}k7: v\n`))).toMatch('has the key k7 twice');
  });

  test('items of a ResourceList in JSON on one line', () => {
    const item = (i: number) => `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c${i}"}}`;
    const text = (items: string) =>
      `{"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": [${items}]}`;
    const n = MANY / 4;
    const input = inTime(() => readWire(text(Array.from({ length: n }, (_, i) => item(i)).join(','))));
    const edits = new Map(input.items.map((one) => [one, [{ path: ['data'], value: 1 }]]));
    const changes = { edits, removed: new Set<never>(), added: [] };
    const printed = inTime(() => input.print([], changes));
    expectText(
      printed,
      text(Array.from({ length: n }, (_, i) => item(i).replace(/\}$/, ', "data": 1}')).join(',')),
    );
  });

  test('writable paths', () => {
    const paths = many((i) => `/p${i}=1Mi,`);
    const found = inTime(() =>
      writablePathsOf(
        deployment({ 'todo.example.com/writable-paths': `${paths}/p_0=2Mi,/p-0=3Mi` }),
        annotationNames(),
      ),
    );
    if ('problem' in found) throw new Error('invalid');
    expect(found).toHaveLength(MANY + 3);
    const volumeOf = (path: string) => found.find((one) => one.path === path)?.volume;
    expect(volumeOf('/p0')).toBe('guardrails-p0');
    expect(volumeOf('/p_0')).toMatch(/^guardrails-p-0-[0-9a-f]{8}$/);
    expect(volumeOf('/p-0')).toMatch(/^guardrails-p-0-[0-9a-f]{8}$/);
  });

  test('exemptions and containers', () => {
    const names = Array.from({ length: MANY }, (_, i) => `c${i}`);
    const annotations = Object.fromEntries(
      names.map((name, i) => [`exempt.todo.example.com/r${i}`, `${name}: legacy`]),
    );
    const rules = new Set(names.map((_, i) => `r${i}`));
    const ruleIds = Object.assign([...rules], { includes: (id: string) => rules.has(id) });
    const { exemptions, problems } = inTime(() =>
      readExemptions(
        deployment(annotations, names),
        annotationNames(),
        ruleIds,
        { neverExempt: new Map(), maxDays: { days: 365, setBy: words('spec.exemptions.maxDays') } },
        '2026-01-01',
      ),
    );
    expect([exemptions.length, problems.length]).toEqual([MANY, 0]);
  });

  test('annotations, and former domains', () => {
    const domains = Array.from({ length: MANY }, (_, i) => `d${i}.example.com`);
    const keys = domains.flatMap((domain, i) => [`exempt.${domain}/volume`, `note.example.com/harde${i}`]);
    const names = annotationNames('guardrails.example.com', domains);
    const ruleIds = RULES.map(({ id }) => id);
    const resource = deployment(Object.fromEntries(keys.map((key) => [key, 'legacy'])));
    const reports = inTime(() => checkAnnotations(resource, names, ruleIds));
    expect(reports).toHaveLength(MANY);
    expect(reports.at(-1)?.remedy.raw).toBe('write exempt.guardrails.example.com/volumes');
  });

  test('values of Secrets', () => {
    const text = `kind: Secret\nstringData:\n${many((i) => `  k${i}: value-${i}-of-a-secret\n`)}`;
    const item = readItem(text, 'w', { start: 0, end: text.length, column: 0 });
    if (item === undefined) throw new Error('no item');
    const redact = redactor([item]);
    const texts = Array.from({ length: MANY }, (_, i) => `container c${i} has value-${i}-of-a-secret!`);
    const redacted = inTime(() => texts.map(redact));
    expect(redacted.filter((one, i) => one !== `container c${i} has ***!`)).toEqual([]);
  });

  test('lines of the value of a Secret', () => {
    const text = `kind: Secret\nstringData:\n  a: |\n${many((i) => `    the line ${i} of it\n`, 2 * MANY)}`;
    const item = readItem(text, 'w', { start: 0, end: text.length, column: 0 });
    if (item === undefined) throw new Error('no item');
    const redact = redactor([item]);
    expect(inTime(() => redact('x the line 12345 of it y'))).toBe('x *** y');
  });

  test('digits of a quantity: more than any amount has are refused', () => {
    const nines = '9'.repeat(10_000_000);
    expect(inTime(() => [nines, `1.${nines}Gi`, `1e${nines}`].map(parseQuantity))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
