import { load } from 'js-yaml';
import { parse, parseDocument } from 'yaml';
import { InputError } from '../../functions/guardrails/errors';
import { lineOfItem, readItem } from '../../functions/guardrails/krm/item';
import type { Result } from '../../functions/guardrails/krm/result';
import { decodeText } from '../../functions/guardrails/yaml/text';
import { type WireInput, readWire } from '../../functions/guardrails/krm/wire';

const HEAD = 'apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n';
const A = { apiVersion: 'v1', kind: 'A' };
const B = { apiVersion: 'v1', kind: 'B', data: { k: [1, '2'] } };
const BOTH = [A, B];
const TEXTS = ['apiVersion: v1\nkind: A\n', 'apiVersion: v1\nkind: B\ndata:\n  k: [1, "2"]\n'];
const ITEMS = 'items:\n- apiVersion: v1\n  kind: A\n- apiVersion: v1\n  kind: B\n  data:\n    k: [1, "2"]\n';
const CONFIG = 'functionConfig:\n  kind: G\n  spec: {a: 1}\n';
const RESULTS: readonly Result[] = [
  {
    message:
      'a "quoted" \'message\': with\nlines,\ttabs, \\, # no comment, é 日 😀 \u0085\u2028\u2029\ufeff\x7f',
    severity: 'error',
    resourceRef: { apiVersion: 'v1', kind: 'A', name: 'a: b', namespace: '- n' },
    field: { path: 'spec["a"]', currentValue: { a: ['yes', null, 1.5] }, proposedValue: '0644' },
    file: { path: 'overlays/prod/é.yaml', index: 0 },
    tags: { rule: 'pinned-image', 'a: b': '{' },
  },
  { message: '', severity: 'warning' },
  { message: 'yes', severity: 'info', field: { path: '~', currentValue: '' } },
];
const OLD = 'results:\n- message: old\n  severity: info\n';

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function values({ items }: WireInput): unknown {
  return plain(items.map(({ value }) => value));
}

function texts({ items }: WireInput): string[] {
  return items.map(({ text }) => text);
}

/** The value as YAML readers such as kpt's find it: two other parsers must agree, without a warning. */
function readBack(text: string): Record<string, unknown> {
  const document = parseDocument(text);
  expect([...document.errors, ...document.warnings]).toEqual([]);
  const value = document.toJS() as Record<string, unknown>;
  expect(plain(load(text))).toEqual(plain(value));
  return value;
}

describe('a ResourceList is read in every form', () => {
  const wide = ITEMS.replace(/\n(?=.)/g, '\n  ');
  const json = JSON.stringify({ apiVersion: 'config.kubernetes.io/v1', kind: 'ResourceList', items: BOTH });
  const forms: [string, string][] = [
    ['block', HEAD + ITEMS],
    ['block, with a document marker', `---\n${HEAD}${ITEMS}`],
    ['block, with comments', `# head\n${HEAD}# items\n${ITEMS}# tail\n`],
    ['block, ended by a marker', `${HEAD}${ITEMS}...\n`],
    ['blanks after items', HEAD + ITEMS.replace('items:', 'items: \t')],
    ['a comment after items', HEAD + ITEMS.replace('items:', 'items: # all')],
    ['a comment before the first item', HEAD + ITEMS.replace('items:\n', 'items:\n# first\n')],
    ['an empty line before the first item', HEAD + ITEMS.replace('items:\n', 'items:\n\n')],
    ['comments between items', HEAD + ITEMS.replaceAll('\n- ', '\n# c: {\n  # d\n\n- ')],
    ['a comment after a dash', HEAD + ITEMS.replaceAll('\n- ', '\n- # c\n  ')],
    ['items on the line after the dash', HEAD + ITEMS.replaceAll('\n- ', '\n-\n  ')],
    ['the same, with blanks', HEAD + ITEMS.replaceAll('\n- ', '\n-  \n  ')],
    ['items with a comment at their end', HEAD + ITEMS.replace('kind: A', 'kind: A # c')],
    ['a wide list', HEAD + wide],
    ['a wide list, items on the next line', HEAD + wide.replaceAll('\n  - ', '\n  -\n    ')],
    ['a wide list with comments', HEAD + wide.replaceAll('\n  - ', '\n# c\n    # d\n  - ')],
    ['wide dashes', HEAD + ITEMS.replaceAll('\n- ', '\n-   ').replace(/\n {2}/g, '\n    ')],
    ['items first', ITEMS + HEAD],
    ['functionConfig after', HEAD + ITEMS + CONFIG],
    ['functionConfig before', HEAD + CONFIG + ITEMS],
    ['kind in double quotes', HEAD.replace('ResourceList', '"ResourceList"') + ITEMS],
    ['kind in single quotes', HEAD.replace('ResourceList', "'ResourceList'") + ITEMS],
    ['kind with escapes', HEAD.replace('ResourceList', '"\\x52esourceList"') + ITEMS],
    ['a quoted key kind', HEAD.replace('kind:', '"kind":') + ITEMS],
    ['a quoted key items', HEAD + ITEMS.replace('items:', '"items":')],
    ['an explicit key', `${HEAD}? items\n:\n${ITEMS.slice('items:\n'.length)}`],
    ['flow', `{apiVersion: config.kubernetes.io/v1, kind: ResourceList, items: ${JSON.stringify(BOTH)}}\n`],
    ['flow items', `${HEAD}items: ${JSON.stringify(BOTH)}\n`],
    ['flow in a block list', `${HEAD}items:\n${BOTH.map((one) => `- ${JSON.stringify(one)}\n`).join('')}`],
    [
      'flow over several lines',
      `${HEAD}items: [\n  {apiVersion: v1, # ]\n  kind: A}, ${JSON.stringify(B)},\n  ]\n`,
    ],
    ['JSON', json],
    ['JSON on many lines', `${JSON.stringify(JSON.parse(json), null, 2)}\n`],
    ['JSON with tabs', `${JSON.stringify(JSON.parse(json), null, '\t')}\n`],
    ['everything indented', `${HEAD}${ITEMS}`.replace(/^/gm, '  ').trimEnd() + '\n'],
    ['no break at the end', (HEAD + ITEMS).trimEnd()],
    ['a tag and an anchor', HEAD + ITEMS.replaceAll('\n- ', '\n- !!map &a\n  ')],
    ['an indentation of one', `${HEAD}items:\n-\n apiVersion: v1\n kind: A\n- ${JSON.stringify(B)}\n`],
    [
      'an indentation of one, with mappings in it',
      `${HEAD}items:\n- ${JSON.stringify(A)}\n-\n apiVersion: v1\n kind: B\n data:\n  k: [1, "2"]\n`,
    ],
  ];

  describe.each([...forms, ...forms.map(([name, text]): [string, string] => [`${name}, CRLF`, crlf(text)])])(
    '%s',
    (_, text) => {
      it('items', () => {
        expect(readWire(text).form).toBe('ResourceList');
        expect(values(readWire(text))).toEqual(BOTH);
      });

      it('every item is a YAML document of its own', () => {
        expect(texts(readWire(text)).map((one) => parse(one) as unknown)).toEqual(BOTH);
      });

      it('comes back byte for byte without results', () => {
        expect(readWire(text).print([])).toBe(text);
      });

      it('comes back with results', () => {
        const printed = readWire(text).print(RESULTS);
        const { results, ...rest } = readBack(printed);
        expect(results).toEqual(RESULTS);
        expect(rest).toEqual(readBack(text));
        expect(values(readWire(printed))).toEqual(BOTH);
        expect(readBack(readWire(printed).print([]))).toEqual(rest);
      });
    },
  );

  it.each([
    ['compact', 'items:\n- apiVersion: v1\n  kind: C\n  data:\n- apiVersion: v1\n  kind: D\n  data: # c\n'],
    [
      'wide',
      'items:\n  - apiVersion: v1\n    kind: C\n    data:\n  - apiVersion: v1\n    kind: D\n    data: # c\n',
    ],
  ])('a %s list whose items end in a key without a value', (_, items) => {
    expect(values(readWire(HEAD + items))).toEqual([
      { apiVersion: 'v1', kind: 'C', data: null },
      { apiVersion: 'v1', kind: 'D', data: null },
    ]);
  });

  function crlf(text: string): string {
    return text.replaceAll('\n', '\r\n');
  }

  it('keeps functionConfig at any place', () => {
    for (const text of [HEAD + ITEMS + CONFIG, HEAD + CONFIG + ITEMS, CONFIG + HEAD + ITEMS])
      expect(plain(readWire(text).functionConfig)).toEqual({ kind: 'G', spec: { a: 1 } });
    expect(readWire(HEAD + ITEMS).functionConfig).toBeUndefined();
    expect(readWire(`${HEAD}${ITEMS}functionConfig:\n`).functionConfig).toBeNull();
    expect(
      plain(readWire(`{"kind": "ResourceList", "functionConfig": {"a": 1}, "items": []}`).functionConfig),
    ).toEqual({ a: 1 });
  });

  it.each([
    ['block', `${HEAD}items: []\n`],
    ['block, first', `items: []\n${HEAD}`],
    ['no break at the end', `${HEAD}items: []`],
    ['with a functionConfig', `${HEAD}items: []\n${CONFIG}`],
    ['JSON', '{"kind": "ResourceList", "items": []}'],
    ['JSON, a functionConfig without a value last', '{items: [], kind: ResourceList, functionConfig: }\n'],
  ])('no items: %s', (_, text) => {
    const wire = readWire(text);
    expect(wire).toMatchObject({ form: 'ResourceList', items: [] });
    expect(wire.print([])).toBe(text);
    expect(readBack(wire.print(RESULTS))).toEqual({ ...readBack(text), results: RESULTS });
  });
});

describe('existing results are replaced', () => {
  const json = (keys: object) => JSON.stringify({ kind: 'ResourceList', ...keys });
  it.each<[string, string]>([
    ['after the items', HEAD + ITEMS + OLD],
    ['before the items', HEAD + OLD + ITEMS],
    ['at the start', OLD + HEAD + ITEMS],
    ['before functionConfig', HEAD + ITEMS + OLD + CONFIG],
    ['after functionConfig', HEAD + ITEMS + CONFIG + OLD],
    ['between items and a comment', `${HEAD}${ITEMS}${OLD}# tail\n`],
    ['empty', `${HEAD}${ITEMS}results:\n`],
    ['empty, before the items', `${HEAD}results:\n${ITEMS}`],
    ['an empty list', `${HEAD}${ITEMS}results: []\n`],
    ['without a break at the end', (HEAD + ITEMS + OLD).trimEnd()],
    ['a quoted key', HEAD + ITEMS + OLD.replace('results', '"results"')],
    ['a block scalar at the end', `${HEAD}${ITEMS}results:\n- message: |+\n    old\n\n`],
    ['a wide list', HEAD + OLD + ITEMS.replace(/\n(?=.)/g, '\n  ')],
    ['everything indented', (HEAD + ITEMS + OLD).replace(/^(?=.)/gm, '  ')],
    ['JSON, first', json({ results: ['old'], items: BOTH }).replace('{"kind"', '{ "kind"')],
    ['JSON, at the very start', JSON.stringify({ results: ['old'], kind: 'ResourceList', items: BOTH })],
    ['JSON, between', json({ items: BOTH, results: ['old'], functionConfig: null })],
    ['JSON, last', json({ items: BOTH, results: ['old'] })],
    ['flow, last, with a comma', `{kind: ResourceList, items: ${JSON.stringify(BOTH)}, results: [old], }\n`],
  ])('%s', (_, text) => {
    const rest = readBack(text);
    delete rest.results;
    for (const results of [RESULTS, RESULTS.slice(1), [] as const]) {
      const printed = readWire(text).print(results);
      expect(printed).not.toContain('old');
      expect(readBack(printed)).toEqual(results.length === 0 ? rest : { ...rest, results });
    }
    expect(values(readWire(text))).toEqual(BOTH);
  });
});

describe('input that is refused', () => {
  it.each<[string, string, RegExp]>([
    ['nothing', '', /empty/],
    ['blanks', ' \n\n', /empty/],
    ['comments alone', '# a\n', /no resources/],
    [
      'a ResourceList before a document',
      `${HEAD}${ITEMS}---\n${TEXTS[0] ?? ''}`,
      /must be the only document/,
    ],
    ['a ResourceList after a document', `${TEXTS[0] ?? ''}---\n${HEAD}${ITEMS}`, /must be the only document/],
    ['two ResourceLists', `${HEAD}${ITEMS}---\n${HEAD}${ITEMS}`, /must be the only document/],
    [
      'a ResourceList in JSON before a document',
      `{kind: ResourceList, items: []}\n---\na: 1\n`,
      /must be the only document/,
    ],
    ['no items', HEAD, /does not have a list of items/],
    ['items that are nothing', `${HEAD}items:\n`, /does not have a list of items/],
    ['items that are a mapping', `${HEAD}items: {a: 1}\n`, /does not have a list of items/],
    ['items that are an alias', `${HEAD}x: &x []\nitems: *x\n`, /does not have a list of items/],
    ['items twice', `${HEAD}${ITEMS}items: []\n`, /the key items twice/],
    ['items twice, in block form', `${HEAD}${ITEMS}${ITEMS}`, /the key items twice/],
    ['items twice, once in quotes', `${HEAD}${ITEMS}"items": []\n`, /the key items twice/],
    ['items twice, in quotes first', `${HEAD}"items":\n- {}\n${ITEMS}`, /the key items twice/],
    ['items twice in JSON', '{"kind": "ResourceList", "items": [], "items": []}', /the key items twice/],
    ['kind twice', `${HEAD}kind: ResourceList\n${ITEMS}`, /the key kind twice/],
    ['functionConfig twice', `${HEAD}${CONFIG}${ITEMS}${CONFIG}`, /the key functionConfig twice/],
    ['results twice', `${HEAD}${OLD}${ITEMS}${OLD}`, /the key results twice/],
    [
      'an alias for an item',
      `${HEAD}x: &x {apiVersion: v1, kind: A}\nitems:\n- *x\n`,
      /^standard input:5: .*anchor of an alias/,
    ],
    [
      'an alias in a wide list',
      `${HEAD}x: &x {apiVersion: v1, kind: A}\nitems:\n  - *x\n`,
      /item 1 is an alias/,
    ],
    ['an item that is nothing', `${HEAD}${ITEMS}-\n`, /^standard input:10: item 3 is empty/],
    ['an item that is nothing, in flow', `${HEAD}items: [~]\n`, /^standard input:3: item 1 is empty/],
    [
      'an item that is a text',
      `${HEAD}${ITEMS}- canary\n`,
      /^standard input:10: the content is not a Kubernetes resource/,
    ],
    [
      'an item that is a list',
      `${HEAD}${ITEMS}- - canary\n`,
      /^standard input:10: the content is not a Kubernetes resource/,
    ],
    [
      'an item without a kind',
      `${HEAD}${ITEMS}- apiVersion: v1\n`,
      /^standard input:10: item 3: the field kind of a Kubernetes resource is missing/,
    ],
    [
      'an item without an apiVersion',
      `${HEAD}${ITEMS}- kind: A\n`,
      /^standard input:10: item 3: the field apiVersion of a Kubernetes resource is missing/,
    ],
    [
      'an item whose kind is a number',
      `${HEAD}${ITEMS}- {apiVersion: v1, kind: 1}\n`,
      /^standard input:10: item 3: the field kind of a Kubernetes resource is missing/,
    ],
    [
      'a document without a kind',
      `${TEXTS[0] ?? ''}---\napiVersion: v1\n`,
      /^standard input:3: the field kind of a Kubernetes resource is missing/,
    ],
    ['an item that is invalid YAML', `${HEAD}${ITEMS}- a: [canary\n`, /^standard input:11: invalid YAML/],
    ['a stray line in the items', `${HEAD}${ITEMS}canary\n`, /^standard input:11: invalid YAML/],
  ])('%s', (_, text, message) => {
    expect(() => readWire(text)).toThrow(InputError);
    expect(() => readWire(text)).toThrow(message);
    expect(() => readWire(text)).not.toThrow(/canary/);
  });
});

describe('the line of an item', () => {
  const POD = 'apiVersion: v1\nkind: Pod\n';

  it('is that of its document in standard input', () => {
    const lines = readWire(`# a\n---\n${POD}---\n# b\n${POD}--- # c\n${POD}`).items.map(({ line }) => line);
    expect(lines).toEqual([2, 5, 9]);
  });

  it('is that of its document in a file', () => {
    const range = { start: 0, end: POD.length, column: 0 };
    expect(readItem(POD, 'a.yaml', range, { path: 'a.yaml', index: 1, line: 7 })?.line).toBe(7);
    expect(readItem(POD, 'a.yaml', range, { path: 'a.yaml', index: 1 })?.line).toBeUndefined();
  });

  it('is computed for a file that a ResourceList sends', () => {
    const item = (index: number, rest: string) =>
      `- apiVersion: v1\n  kind: A\n${rest}  metadata:\n    annotations:\n` +
      `      internal.config.kubernetes.io/path: a.yaml\n      internal.config.kubernetes.io/index: '${index}'\n`;
    const { items } = readWire(`${HEAD}items:\n${item(1, '')}${item(0, '  x: 1\n')}${item(2, '')}`);
    expect(items.map(({ line }) => line)).toEqual([undefined, undefined, undefined]);
    // a.yaml: lines 1 to 3, ---, lines 5 and 6, ---, lines 8 and 9.
    expect(items.map((one) => lineOfItem(one, items))).toEqual([5, 1, 8]);
  });

  it('is part of the error for invalid YAML in a later document', () => {
    expect(() => readWire(`${POD}---\n${POD}a: b: c\n`)).toThrow(/^standard input:6: invalid YAML/);
    const range = { start: 0, end: 0, column: 0 };
    expect(() => readItem('\na: b: c\n', 'a.yaml', range, { path: 'a.yaml', index: 1, line: 7 })).toThrow(
      /^a\.yaml:8: invalid YAML/,
    );
  });
});

describe('plain documents', () => {
  const text = `# head\n${TEXTS.join('---\n')}---\n# nothing\n---\n`;

  it('are items', () => {
    const wire = readWire(text);
    expect(wire).toMatchObject({ form: 'documents', functionConfig: undefined });
    expect(values(wire)).toEqual(BOTH);
  });

  it('come back as they are, whatever the results', () => {
    expect(readWire(text).print([])).toBe(text);
    expect(readWire(text).print(RESULTS)).toBe(text);
  });

  // U+FEFF may start a document: to kubectl it is not there, so it must not hide a field either.
  it('a byte order mark before a later document hides no field', () => {
    const later = `${TEXTS[0] ?? ''}---\n\ufeffspec: {a: 1}\napiVersion: v1\nkind: Pod\n`;
    expectHiddenNowhere(later, [A, { spec: { a: 1 }, apiVersion: 'v1', kind: 'Pod' }]);
  });
});

/** Reads these values or refuses the input: both are safe, anything else is a resource that no rule sees. */
function expectHiddenNowhere(text: string, expected: readonly object[]): void {
  let wire: WireInput;
  try {
    wire = readWire(decodeText(Buffer.from(text), 'standard input'));
  } catch (error) {
    if (error instanceof InputError) return;
    throw error;
  }
  expect(values(wire)).toEqual(expected);
  expect(texts(wire).map((one) => parse(one, { uniqueKeys: false }) as unknown)).toEqual(expected);
}

describe('a line break that is a carriage return alone hides nothing', () => {
  it('in an item', () => {
    const text = `${HEAD}items:\n- apiVersion: v1\n  kind: A\n  x:\r  y: 1\n`;
    expectHiddenNowhere(text, [{ ...A, x: null, y: 1 }]);
  });

  it('after an annotation of the wire', () => {
    const text =
      `${HEAD}items:\n  - apiVersion: v1\n    kind: A\n    metadata:\n      annotations:\n` +
      '        internal.config.kubernetes.io/index: 0\r        a: b\r    spec: {image: a}\n';
    const wire = () => readWire(decodeText(Buffer.from(text), 'standard input'));
    let items: readonly string[];
    try {
      items = texts(wire());
    } catch (error) {
      if (error instanceof InputError) return;
      throw error;
    }
    expect(parse(items[0] ?? '')).toEqual({
      ...A,
      metadata: { annotations: { a: 'b' } },
      spec: { image: 'a' },
    });
  });
});

describe('the text of an item is its source, outdented', () => {
  const body = `apiVersion: v1 # one
kind: ConfigMap

# a comment
data:
  "octal": 0644   # kept
  word: yes
  literal: |
    a
      b

    c
  folded: >-
    d

  indicated: |2
      e
  flow: {a: [1,
    2]}
  quoted: "x
    y"
  list:
  - 1
  -   b: 2
`;
  const indented = (columns: number, dash: string) =>
    dash + body.replace(/\n(?=.)/g, `\n${' '.repeat(columns)}`);

  it.each([
    ['in a list at the margin', indented(2, '- ')],
    ['in a wide list', `  - ${indented(4, '')}`],
    ['in a wider list', `    -   ${indented(8, '')}`],
  ])('%s', (_, item) => {
    for (const text of [`${HEAD}items:\n${item}`, `${HEAD}items:\n${item}${item}${CONFIG}`])
      for (const one of texts(readWire(text))) expect(one).toBe(body);
  });

  it.each([
    ['that keeps its last breaks', '|+', '\n\n'],
    ['', '|', ''],
    ['that strips them', '|-', ''],
  ])('a block scalar %s at the end of a wide list reads the same', (_, header, breaks) => {
    const text = `${HEAD}items:\n  - apiVersion: v1\n    kind: A\n    x: ${header}\n      b\n${breaks}`;
    const [item] = readWire(text).items;
    expect([item?.value]).toEqual(readBack(text).items);
    expect([parse(item?.text ?? '')]).toEqual(readBack(text).items);
  });

  it('leaves CRLF alone', () => {
    const text = `${HEAD}items:\n- ${indented(2, '')}`.replaceAll('\n', '\r\n');
    expect(texts(readWire(text))).toEqual([body.replaceAll('\n', '\r\n')]);
  });
});

describe('annotations of the wire', () => {
  const WIRE = [
    "internal.config.kubernetes.io/path: 'a/b.yaml'",
    "internal.config.kubernetes.io/index: '2'",
    'internal.config.kubernetes.io/id: "1"',
    'internal.config.kubernetes.io/seqindent: compact',
    'config.kubernetes.io/path: a/b.yaml',
    "config.kubernetes.io/index: '2'",
    'config.k8s.io/id: "1"',
  ];
  const block = (lines: readonly string[]) => lines.map((line) => `    ${line}\n`).join('');
  const read = (text: string) => readItem(text, 'w', { start: 0, end: text.length, column: 0 });

  it.each<[string, string, string]>([
    [
      'are removed, others are kept',
      `apiVersion: v1\nkind: A\nmetadata:\n  name: a\n  annotations:\n${block(['a: b # c', ...WIRE, 'c: d'])}spec: {}\n`,
      'apiVersion: v1\nkind: A\nmetadata:\n  name: a\n  annotations:\n    a: b # c\n    c: d\nspec: {}\n',
    ],
    [
      'annotations that are empty without them are removed too',
      `apiVersion: v1\nkind: A\nmetadata:\n  annotations:\n${block(WIRE)}  name: a\nspec: {}\n`,
      'apiVersion: v1\nkind: A\nmetadata:\n  name: a\nspec: {}\n',
    ],
    ['metadata too', `metadata: # m\n  annotations:\n${block(WIRE)}resources: [a]\n`, 'resources: [a]\n'],
    [
      'at the end of the text',
      `apiVersion: v1\nkind: A\nmetadata:\n  name: a\n  annotations:\n${block(WIRE)}`.trimEnd(),
      'apiVersion: v1\nkind: A\nmetadata:\n  name: a\n',
    ],
    [
      'with quoted keys',
      'kind: A\nmetadata:\n  annotations:\n    "config.kubernetes.io/path": a\n    \'config.k8s.io/id\': b\n    c: d\n',
      'kind: A\nmetadata:\n  annotations:\n    c: d\n',
    ],
    [
      'in flow',
      'kind: A\nmetadata:\n  name: a\n  annotations: {a: "b, }", internal.config.kubernetes.io/path: x, c: [d]}\n',
      'kind: A\nmetadata:\n  name: a\n  annotations: {a: "b, }", c: [d]}\n',
    ],
    [
      'in flow, all of them',
      'kind: A\nmetadata: {name: a, annotations: {config.k8s.io/id: x}} # c\nspec: 1\n',
      'kind: A\nmetadata: {name: a} # c\nspec: 1\n',
    ],
    [
      'in flow, metadata and all',
      '{kind: A, metadata: {annotations: {config.k8s.io/id: x}}, spec: 1}\n',
      '{kind: A, spec: 1}\n',
    ],
    [
      'in JSON',
      '{"kind": "A", "metadata": {"annotations": {"config.k8s.io/id": "x", "a": "b"}, "name": "a"}}\n',
      '{"kind": "A", "metadata": {"annotations": {"a": "b"}, "name": "a"}}\n',
    ],
    [
      'as a block scalar',
      'kind: A\nmetadata:\n  annotations:\n    config.kubernetes.io/path: |\n      a\n      b\n    c: d\n',
      'kind: A\nmetadata:\n  annotations:\n    c: d\n',
    ],
    [
      'over several lines',
      'kind: A\nmetadata:\n  annotations:\n    config.kubernetes.io/path:\n      a\n      b\n    c: d\n',
      'kind: A\nmetadata:\n  annotations:\n    c: d\n',
    ],
    [
      'without a value',
      'kind: A\nmetadata:\n  annotations:\n    config.kubernetes.io/path:\n    c: d\n',
      'kind: A\nmetadata:\n  annotations:\n    c: d\n',
    ],
    [
      'CRLF',
      'kind: A\r\nmetadata:\r\n  annotations:\r\n    config.k8s.io/id: a\r\n    c: d\r\n',
      'kind: A\r\nmetadata:\r\n  annotations:\r\n    c: d\r\n',
    ],
  ])('%s', (_, text, expected) => {
    expect(read(text)?.text).toBe(expected);
  });

  it.each([
    ['none of them', 'kind: A\nmetadata:\n  annotations:\n    a: b\n'],
    [
      'names that only look similar',
      `kind: A\nmetadata:\n  annotations:\n    config.kubernetes.io/local-config: "true"\n`,
    ],
    [
      'another place',
      'kind: A\nspec:\n  template:\n    metadata:\n      annotations:\n        config.k8s.io/id: a\n',
    ],
    ['no annotations', 'kind: A\nmetadata: {name: a}\n'],
    ['annotations that are not a mapping', 'kind: A\nmetadata:\n  annotations: [config.k8s.io/id]\n'],
    ['metadata that is not a mapping', 'kind: A\nmetadata: a\n'],
  ])('nothing changes: %s', (_, text) => {
    expect(read(text)?.text).toBe(text);
  });

  it('the value of the item keeps them, and the item has path and index', () => {
    const text = `apiVersion: v1\nkind: A\nmetadata:\n  annotations:\n${block(WIRE)}`;
    expect(read(text)).toMatchObject({ path: 'a/b.yaml', index: 2 });
    expect(plain(read(text)?.value)).toEqual(parse(text));
  });

  it('path and index from the older names', () => {
    const text = `kind: A\nmetadata:\n  annotations:\n${block(WIRE.filter((line) => !line.startsWith('internal')))}`;
    expect(read(text)).toMatchObject({ path: 'a/b.yaml', index: 2 });
    expect(read('kind: A\n')).toMatchObject({ path: undefined, index: 0 });
  });

  it('a ResourceList comes back with all of them', () => {
    const text = `${HEAD}items:\n- apiVersion: v1\n  kind: A\n  metadata:\n    name: a\n    annotations:\n${block(WIRE).replace(/^/gm, '  ').trimEnd()}\n`;
    expect(texts(readWire(text))).toEqual(['apiVersion: v1\nkind: A\nmetadata:\n  name: a\n']);
    expect(readWire(text).print([])).toBe(text);
    expect(readWire(text).print(RESULTS).startsWith(text)).toBe(true);
  });

  it('a kustomization may omit apiVersion and kind', () => {
    const item = (file: string) =>
      `${HEAD}items:\n- resources: [a.yaml]\n  metadata:\n    annotations:\n      internal.config.kubernetes.io/path: ${file}\n`;
    expect(texts(readWire(item('a/kustomization.yaml')))).toEqual(['resources: [a.yaml]\n']);
    expect(texts(readWire(item('kustomization.yml')))).toEqual(['resources: [a.yaml]\n']);
    expect(() => readWire(item('a/notkustomization.yaml'))).toThrow(InputError);
  });
});
