import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { InputError } from '../../functions/guardrails/errors';
import { editDocument } from '../../functions/guardrails/yaml/edit';
import { type Fix, withFixes } from '../../functions/guardrails/yaml/field-path';
import { safeJson } from '../../functions/guardrails/yaml/scalar';
import { splice } from '../../functions/guardrails/yaml/text';
import {
  type YamlObject,
  type YamlValue,
  isObject,
  parseYaml,
  valueOf,
} from '../../functions/guardrails/yaml/yaml';
import { describeWithTool } from '../support/tools';

function edit(text: string, ...fixes: Fix[]): string {
  return splice(text, editDocument(text, fixes, 'w'));
}

function read(text: string): YamlObject {
  const value = valueOf(parseYaml(text, 'w')[0] ?? null);
  if (!isObject(value)) throw new Error('not a mapping');
  return value;
}

function set(dotted: string, value: YamlValue = true): Fix {
  const steps = dotted.split('.').map((step) => (/^\d+$/.test(step) ? Number(step) : step));
  return { path: steps, value };
}

type Case = [title: string, before: string, fixes: Fix[], after: string];

function cases(title: string, table: Case[]): void {
  describe(title, () => {
    it.each(table)('%s', (_, before, fixes, after) => {
      expect(edit(before, ...fixes)).toBe(after);
    });
    const several = table.filter(([, before]) => before.includes('\n'));
    it.each(several)('%s, with CRLF', (_, before, fixes, after) => {
      expect(edit(before.replaceAll('\n', '\r\n'), ...fixes)).toBe(after.replaceAll('\n', '\r\n'));
    });
  });
}

const AB = [set('s.a'), set('s.b.c', 'x')];

cases('block mappings and lists in the document’s own step', [
  ['step 2', 's:\n  k: 1\n', AB, 's:\n  k: 1\n  a: true\n  b:\n    c: x\n'],
  ['step 4', 's:\n    k: 1\n', AB, 's:\n    k: 1\n    a: true\n    b:\n        c: x\n'],
  ['absent parents', 'k: 1\n', AB, 'k: 1\ns:\n  a: true\n  b:\n    c: x\n'],
  ['a compact list', 'l:\n- a\nk: 1\n', [set('l.-', 'b')], 'l:\n- a\n- b\nk: 1\n'],
  ['a wide list', 'l:\n  - a\nk: 1\n', [set('l.-', 'b')], 'l:\n  - a\n  - b\nk: 1\n'],
  [
    'a new list, as the compact one above',
    'l:\n- a\n',
    [set('m.-', { g: 1, p: [2] })],
    'l:\n- a\nm:\n- g: 1\n  p:\n  - 2\n',
  ],
  [
    'a new list, as the wide one above',
    'l:\n  - a\n',
    [set('m.-', { g: 1, p: [2] })],
    'l:\n  - a\nm:\n  - g: 1\n    p:\n      - 2\n',
  ],
  ['a mapping in a list', 'l:\n- g: 1\n- g: 2\n', [set('l.0.a')], 'l:\n- g: 1\n  a: true\n- g: 2\n'],
  ['far from its dash', 'l:\n-   g: 1\n', [set('l.0.a')], 'l:\n-   g: 1\n    a: true\n'],
  ['both at one place', 'l:\n- g: 1\n', [set('l.0.a'), set('b')], 'l:\n- g: 1\n  a: true\nb: true\n'],
  ['a list in a list', 'l:\n- - a\n', [set('l.0.-', 'b'), set('l.-', ['c'])], 'l:\n- - a\n  - b\n- - c\n'],
  ['a mapping last in the list', 'l:\n- g:\n    o: 1\n', [set('l.-', 'b')], 'l:\n- g:\n    o: 1\n- b\n'],
  ['a block scalar last in the list', 'l:\n- |\n  a\nk: 1\n', [set('l.-', 'b')], 'l:\n- |\n  a\n- b\nk: 1\n'],
  [
    'comments at the margin between entries without a value',
    'l:\n-\n# c\n-\n',
    [set('l.1.a')],
    'l:\n-\n# c\n- {a: true}\n',
  ],
  ['no value last in the list', 'l:\n- a\n-\nk: 1\n', [set('l.-', 'b')], 'l:\n- a\n-\n- b\nk: 1\n'],
  [
    'an indented root',
    '  k: 1\n  l:\n  - g: 1\n',
    [set('l.0.a'), set('b')],
    '  k: 1\n  l:\n  - g: 1\n    a: true\n  b: true\n',
  ],
  ['an end of the document', 'k: 1\n...\n', [set('a')], 'k: 1\na: true\n...\n'],
  ['a start and a comment', '# c\n---\n# d\nk: 1\n', [set('a')], '# c\n---\n# d\nk: 1\na: true\n'],
  ['a directive', '%YAML 1.1\n---\nk: 1\n', [set('a')], '%YAML 1.1\n---\nk: 1\na: true\n'],
  ['no line end', 's:\n  k: 1', [set('s.a'), set('b')], 's:\n  k: 1\n  a: true\nb: true'],
  ['quoted keys', '"s":\n  "k": 1\n', AB, '"s":\n  "k": 1\n  a: true\n  b:\n    c: x\n'],
  ['a key twice', 's:\n  k: 1\ns:\n  l: 1\n', [set('s.a')], 's:\n  k: 1\ns:\n  l: 1\n  a: true\n'],
  ['an explicit key', '? s\n: k: 1\n', [set('s.a'), set('b')], '? s\n: k: 1\n  a: true\nb: true\n'],
  ['a key with an anchor', 's:\n  &x k: 1\n', [set('s.a')], 's:\n  &x k: 1\n  a: true\n'],
  ['a tag', 's: !!map\n  k: !!str 1\n', [set('s.a')], 's: !!map\n  k: !!str 1\n  a: true\n'],
]);

cases('an empty value', [
  ['{}', 's: {}\nk: 1\n', AB, 's:\n  a: true\n  b:\n    c: x\nk: 1\n'],
  ['{} by step 4', 'k:\n    l: 1\ns: {}\n', AB, 'k:\n    l: 1\ns:\n    a: true\n    b:\n        c: x\n'],
  ['{} with a comment, which belongs to the value', 's: {} # c\n', AB, 's: {a: true, b: {c: x}} # c\n'],
  ['{} below its key', 's: # c\n  {} # d\n', [set('s.a')], 's: # c\n  {a: true} # d\n'],
  ['{} over two lines', 's: { # c\n  }\n', [set('s.a')], 's: {a: true # c\n  }\n'],
  ['[]', 'l: []\n', [set('l.-', 'a'), set('l.-', 'b')], 'l:\n- a\n- b\n'],
  ['null', 's: null\nl: null\n', [set('s.a'), set('l.-', 1)], 's:\n  a: true\nl:\n- 1\n'],
  ['~', 's: ~\n', [set('s.a')], 's:\n  a: true\n'],
  ['nothing', 's:\nk: 1\n', [set('s.a')], 's:\n  a: true\nk: 1\n'],
  ['nothing, with a comment', 's: # c\nk: 1\n', [set('s.a')], 's: # c\n  a: true\nk: 1\n'],
  ['nothing, at the end', 's:', [set('s.a')], 's:\n  a: true'],
  ['nothing, before a dedent', 't:\n  s:\nk: 1\n', [set('t.s.a')], 't:\n  s:\n    a: true\nk: 1\n'],
  [
    'a scalar instead',
    's: null\nt: # c\nu:\n',
    [set('s'), set('t', {}), set('u', 'x')],
    's: true\nt: {} # c\nu: x\n',
  ],
  ['with an anchor', 's: &x {}\n', [set('s.a')], 's: &x\n  a: true\n'],
  [
    'with a tag that would be wrong',
    's: !!null &x ~\nt: !!null\n',
    [set('s.a'), set('t.a')],
    's: &x\n  a: true\nt:\n  a: true\n',
  ],
  [
    'in flow',
    'f: {s: {}, t: , u: null, v}\n',
    [set('f.s.a'), set('f.t.a'), set('f.u.a'), set('f.v.a')],
    'f: {s: {a: true}, t: {a: true} , u: {a: true}, v: {a: true}}\n',
  ],
  [
    'in a list',
    'l:\n- {}\n- null\n-\n- # c\n',
    [set('l.0.a'), set('l.1.a'), set('l.2.a'), set('l.3.a')],
    'l:\n- {a: true}\n- {a: true}\n- {a: true}\n- {a: true} # c\n',
  ],
]);

cases('flow style', [
  ['in one line', 's: {k: 1}\n', AB, 's: {k: 1, a: true, b: {c: x}}\n'],
  ['a list', 'l: [a]\nm: [ ]\n', [set('l.-', { b: 1 })], 'l: [a, {b: 1}]\nm: [ ]\n'],
  ['a comma last', 'l: [a,]\n', [set('l.-', 'b')], 'l: [a, b,]\n'],
  [
    'no value and a comma last',
    's: {k: 1, l: , }\nt: {l, }\nu: {l: &x , }\nv: {l: # c , }\n  }\n',
    [set('s.l'), ...['s.a', 't.a', 'u.a', 'v.a'].map((field) => set(field))],
    's: {k: 1, l: true , a: true, }\nt: {l, a: true, }\nu: {l: &x , a: true, }\nv: {l: # c , }\n  , a: true}\n',
  ],
  [
    'over lines',
    's: {\n    k: 1\n  }\n',
    AB,
    's: {\n    k: 1,\n    a: true,\n    b: {\n        c: x\n    }\n  }\n',
  ],
  [
    'over lines, with comments',
    's: {\n  k: 1 # c }\n  # d\n  }\n',
    [set('s.a')],
    's: {\n  k: 1,\n  a: true # c }\n  # d\n  }\n',
  ],
  ['a root', '{s: {k: 1}}\n', AB, '{s: {k: 1, a: true, b: {c: x}}}\n'],
  ['JSON', '{"s": {"k": 1}}', AB, '{"s": {"k": 1, "a": true, "b": {"c": "x"}}}'],
  [
    'compact JSON',
    '{"s":{},"l":[1]}\n',
    [...AB, set('l.-', [2, 3])],
    '{"s":{"a":true,"b":{"c":"x"}},"l":[1,[2,3]]}\n',
  ],
  [
    'JSON, step 2',
    '{\n  "s": {},\n  "l": []\n}\n',
    [...AB, set('l.-', 'x')],
    '{\n  "s": {\n    "a": true,\n    "b": {\n      "c": "x"\n    }\n  },\n  "l": [\n    "x"\n  ]\n}\n',
  ],
  [
    'JSON, step 4',
    '{\n    "s": {\n        "k": 1\n    }\n}\n',
    AB,
    '{\n    "s": {\n        "k": 1,\n        "a": true,\n        "b": {\n            "c": "x"\n        }\n    }\n}\n',
  ],
  [
    'JSON, tabs',
    '{\n\t"s": {\n\t\t"k": 1\n\t}\n}\n',
    AB,
    '{\n\t"s": {\n\t\t"k": 1,\n\t\t"a": true,\n\t\t"b": {\n\t\t\t"c": "x"\n\t\t}\n\t}\n}\n',
  ],
  ['JSON in YAML', 's: {"k": 1}\n', AB, 's: {"k": 1, "a": true, "b": {"c": "x"}}\n'],
]);

cases('anchors, aliases and merge keys', [
  [
    'an alias with the same fix',
    's: &x {k: 1}\nt: *x\n',
    [set('s.a'), set('t.a')],
    's: &x {k: 1, a: true}\nt: *x\n',
  ],
  [
    'an alias with another fix',
    's: &x {k: 1}\nt: *x\n',
    [set('s.a'), set('t.b')],
    's: &x {k: 1, a: true}\nt: {k: 1, b: true}\n',
  ],
  [
    'an alias without a fix',
    's: &x\n  k: 0644\nt: *x\n',
    [set('s.a')],
    's: &x\n  k: 0644\n  a: true\nt: {k: 0644}\n',
  ],
  [
    'a fix for the alias only',
    's: &x {k: "1"}\nt: *x\n',
    [set('t.a')],
    's: &x {k: "1"}\nt: {k: "1", a: true}\n',
  ],
  [
    'an anchored {}',
    's: &x {}\nt: *x\nu: *x\n',
    [set('s.a'), set('t.a')],
    's: &x\n  a: true\nt: *x\nu: {}\n',
  ],
  [
    'an anchor in a list',
    'l:\n- &x\n  g: a, b\n- *x\n',
    [set('l.0.a')],
    "l:\n- &x\n  g: a, b\n  a: true\n- {g: 'a, b'}\n",
  ],
  [
    'a merge key that adds the same',
    'x: &x {k: 1}\ns: {<<: *x, l: 1}\n',
    [set('x.a'), set('s.a')],
    'x: &x {k: 1, a: true}\ns: {<<: *x, l: 1}\n',
  ],
  [
    'a merge key that would add too much',
    'x: &x {k: 1}\ns: {<<: *x, l: 1}\n',
    [set('x.a')],
    'x: &x {k: 1, a: true}\ns: {<<: {k: 1}, l: 1}\n',
  ],
  [
    'a key from a merge',
    'x: &x {k: {l: 1}}\ns:\n  <<: *x\n',
    [set('s.k.a')],
    'x: &x {k: {l: 1}}\ns:\n  <<: *x\n  k:\n    l: 1\n    a: true\n',
  ],
  [
    'a list of merges',
    'x: &x {k: {l: 1}}\ny: &y {m: 1}\ns:\n  <<: [*x, *y]\n',
    [set('x.k.a'), set('s.b')],
    'x: &x {k: {l: 1, a: true}}\ny: &y {m: 1}\ns:\n  <<: [*x, *y]\n  k:\n    l: 1\n  b: true\n',
  ],
]);

cases('comments and scalars where new keys go', [
  ['after the last value', 's:\n  k: 1 # c\nt: 1\n', [set('s.a')], 's:\n  k: 1 # c\n  a: true\nt: 1\n'],
  ['at the same column', 's:\n  k: 1\n  # c\nt: 1\n', [set('s.a')], 's:\n  k: 1\n  # c\n\n  a: true\nt: 1\n'],
  ['deeper', 's:\n  k: 1\n    # c\n', [set('s.a')], 's:\n  k: 1\n    # c\n\n  a: true\n'],
  ['of the next key', 's:\n  k: 1\n# c\nt: 1\n', [set('s.a')], 's:\n  k: 1\n  a: true\n# c\nt: 1\n'],
  ['of the next entry', 'l:\n- g: 1\n# c\n- g: 2\n', [set('l.0.a')], 'l:\n- g: 1\n  a: true\n# c\n- g: 2\n'],
  ['of the key after a compact list', 'l:\n- a\n# c\nk: 1\n', [set('l.-', 'b')], 'l:\n- a\n- b\n# c\nk: 1\n'],
  ['under the last entry', 'l:\n  - a\n  # c\n', [set('l.-', 'b')], 'l:\n  - a\n  # c\n\n  - b\n'],
  [
    'at every column',
    's:\n  t:\n    k: 1\n    # t\n  # s\n# f\n',
    [set('s.t.a'), set('s.b'), set('c')],
    's:\n  t:\n    k: 1\n    # t\n\n    a: true\n  # s\n\n  b: true\n# f\n\nc: true\n',
  ],
  ['empty lines', 's:\n  k: 1\n\nt: 1\n', [set('s.a')], 's:\n  k: 1\n  a: true\n\nt: 1\n'],
  [
    'a literal',
    's:\n  k: |\n    a\n    # no comment\nt: 1\n',
    [set('s.a')],
    's:\n  k: |\n    a\n    # no comment\n  a: true\nt: 1\n',
  ],
  ['a stripped literal', 's:\n  k: |-\n    a\n', [set('s.a')], 's:\n  k: |-\n    a\n  a: true\n'],
  ['a kept literal', 's:\n  k: |+\n    a\n\nt: 1\n', [set('s.a')], 's:\n  k: |+\n    a\n\n  a: true\nt: 1\n'],
  ['a folded scalar', 's:\n  k: >\n    a\n    b\n', [set('s.a')], 's:\n  k: >\n    a\n    b\n  a: true\n'],
  ['an indentation indicator', 's:\n  k: |1\n     a\n', [set('s.a')], 's:\n  k: |1\n     a\n  a: true\n'],
  ['a plain scalar over lines', 's:\n  k: a\n    b\n', [set('s.a')], 's:\n  k: a\n    b\n  a: true\n'],
  ['a quoted scalar over lines', 's:\n  k: "a\n    b"\n', [set('s.a')], 's:\n  k: "a\n    b"\n  a: true\n'],
]);

describe('values', () => {
  it.each<[YamlValue, string]>([
    ['plain/text.v1', 'plain/text.v1'],
    ['0644', "'0644'"],
    ['1e3', "'1e3'"],
    ['yes', "'yes'"],
    ['null', "'null'"],
    ['', "''"],
    ['it’s: a', '"it’s: a"'],
    ["it's: a", "'it''s: a'"],
    ['a\u2028b', '"a\\u2028b"'],
    [1.5, '1.5'],
    [false, 'false'],
    [null, 'null'],
    [{}, '{}'],
    [[], '[]'],
  ])('%j is written as %s', (value, written) => {
    expect(edit('k: 1\n', set('a', value))).toBe(`k: 1\na: ${written}\n`);
  });

  it('quotes as the document does', () => {
    expect(edit('k: "1"\n', set('a', '0644'))).toBe('k: "1"\na: "0644"\n');
    expect(edit("k: '1'\n", set('a', '0644'))).toBe("k: '1'\na: '0644'\n");
  });

  it('nests', () => {
    const value = { '8080': [{ m: {}, l: [['x']] }], o: [] };
    expect(edit('k: 1\n', set('a', value))).toBe(
      "k: 1\na:\n  '8080':\n  - m: {}\n    l:\n    - - x\n  o: []\n",
    );
  });

  it('a later fix goes into an earlier one', () => {
    expect(edit('k: 1\n', set('a', { b: 1 }), set('a.c', 2))).toBe('k: 1\na:\n  b: 1\n  c: 2\n');
  });
});

describe('an entry is removed from a list', () => {
  it.each<[title: string, before: string, index: number, after: string]>([
    ['in block style', 'l:\n- a\n- b # c\nk: 1\n', 1, 'l:\n- a\nk: 1\n'],
    ['the first', 'l:\n  - a\n  # c\n  - b\n', 0, 'l:\n  # c\n  - b\n'],
    ['on several lines', 'l:\n- a:\n    b: 1\n- c\n', 0, 'l:\n- c\n'],
    ['on the line after its dash', 'l:\n-\n  a: 1\n- c\n', 0, 'l:\n- c\n'],
    ['in flow style, the first', 'l: [a, b]\n', 0, 'l: [b]\n'],
    ['in flow style, the last', 'l: [a, b]\n', 1, 'l: [a]\n'],
    ['the only one, with its key', 'k: 1\n# c\nl:\n- a\nm: 1\n', 0, 'k: 1\n# c\nm: 1\n'],
    ['the only one, with its key in flow style', '{k: 1, l: [a], m: 1}\n', 0, '{k: 1, m: 1}\n'],
  ])('%s', (_, before, index, after) => {
    expect(splice(before, editDocument(before, { list: 'l', index }, 'w'))).toBe(after);
  });

  it('refused if an alias has the list too', () => {
    expect(() => editDocument('l: &x [a, b]\nm: *x\n', { list: 'l', index: 0 }, 'w')).toThrow(
      'w: entry 1 of l is obsolete',
    );
  });
});

describe('refused', () => {
  it.each<[string, string, Fix]>([
    ['a scalar in the way', 's: 1\n', set('s.a')],
    ['an existing value', 's: 1\n', set('s')],
    ['a mapping instead of a list', 's: {k: 1}\n', set('s.-')],
    ['a missing entry', 'l: [1]\n', set('l.1.a')],
    ['a list as root', '- 1\n', set('a')],
    ['invalid YAML', 'a: [\n', set('a')],
    [
      'a first key with anchor and tag, whose column the parser misjudges',
      's:\n  &x !!str k: 1\n',
      set('s.a'),
    ],
    ['a tag of null before a list entry', 'l:\n- !!null ~\n', set('l.0.a')],
    ['a tag of null above its value', 's: !!null\n  ~\n', set('s.a')],
    ['two documents', 'a: 1\n---\nb: 1\n', set('c')],
  ])('%s', (_, text, fix) => {
    expect(() => edit(text, fix)).toThrow(InputError);
  });
});

it.each([
  ['YAML', (entries: string[]) => `l:\n${entries.map((one) => `- g: ${one}\n`).join('')}`],
  ['JSON in one line', (entries: string[]) => `{"l":[${entries.map((one) => `{"g":"${one}"}`).join(',')}]}`],
])('2 MB of %s in linear time', (_, document) => {
  const entries = Array.from({ length: 20_000 }, (_, i) => `${i}-${'x'.repeat(90)}`);
  const started = performance.now();
  const text = document(entries);
  expect(edit(text, set('l.19999.a'), set('b')).length).toBeGreaterThan(text.length);
  expect(performance.now() - started).toBeLessThan(4000);
});

/** The indentation of a random document. */
interface Style {
  readonly step: number;
  readonly wide: boolean;
}

const key = fc.constantFrom('a', 'b', 'c', 'image', '"q"', "'r'");
const plainScalar = fc.constantFrom('1', 'x', '0644', '"q: 1"', "'it''s'", 'true', 'a b', 'http://x');
const emptyValue = fc.constantFrom('{}', '[]', 'null', '~', '', '&e {}');
const comment = fc.constantFrom('', '', '', ' # c', ' # {]}');

const flowText: fc.Arbitrary<string> = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('1', '"x"', 'null', '{}', '[]'),
    fc.array(tie('node'), { maxLength: 3 }).map((all) => `[${all.join(', ')}]`),
    fc
      .array(tie('node'), { minLength: 1, maxLength: 3 })
      .map((all) => `{${all.map((one, i) => `"k${i}": ${one}`).join(', ')}}`),
    fc
      .array(tie('node'), { minLength: 1, maxLength: 3 })
      .map((all) => `{${all.map((one, i) => `k${i}: ${one}`).join(', ')}}`),
  ),
})).node;

type Node =
  | { readonly text: string }
  | { readonly entries: readonly (readonly [string, Node, string])[] }
  | { readonly items: readonly Node[] };

const tree: fc.Arbitrary<Node> = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    fc.oneof(plainScalar, emptyValue, flowText, fc.constant('*x')).map((text) => ({ text })),
    fc
      .uniqueArray(fc.tuple(key, tie('node'), comment), {
        minLength: 1,
        maxLength: 4,
        selector: ([name]) => name,
      })
      .map((entries) => ({ entries })),
    fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map((items) => ({ items })),
  ),
})).node;

function lines(node: Node, column: number, style: Style): string[] {
  const indent = ' '.repeat(column);
  if ('text' in node) return [indent + node.text];
  if ('items' in node)
    return node.items.flatMap((item) => {
      const inner = lines(item, column + 2, style);
      return inner.map((line, i) => (i === 0 ? `${indent}- ${line.slice(column + 2)}` : line));
    });
  return node.entries.flatMap(([name, child, end]) => {
    if ('text' in child) return [`${indent}${name}: ${child.text}${end}`];
    const childColumn = column + ('items' in child && !style.wide ? 0 : style.step);
    const remark = end === '' ? [] : [`${' '.repeat(childColumn)}#${end}`];
    return [`${indent}${name}:${end}`, ...lines(child, childColumn, style), ...remark];
  });
}

const documentText = fc
  .record({
    tree: fc.uniqueArray(fc.tuple(key, tree, comment), {
      minLength: 1,
      maxLength: 4,
      selector: ([name]) => name,
    }),
    step: fc.constantFrom(2, 4),
    wide: fc.boolean(),
    column: fc.constantFrom(0, 0, 2),
    newline: fc.constantFrom('\n', '\r\n'),
    end: fc.boolean(),
    base: fc.constantFrom('&x {k: {l: 1}}', '&x\n  k:\n    l: [1]', '&x [1, {a: {}}]', '&x 1'),
    merges: fc.boolean(),
  })
  .map(({ tree: entries, column, newline, end, base, merges, ...style }) => {
    const isMapping = base.includes('{k') || base.includes('k:');
    const merge = merges && isMapping ? ['m:', '  <<: *x', '  g: 1'] : [];
    const head = [...`base: ${base}`.split('\n'), ...merge].map((line) => ' '.repeat(column) + line);
    return [...head, ...lines({ entries }, column, style)].join(newline) + (end ? newline : '');
  });

const value = fc.oneof(
  fc.constantFrom<YamlValue>('x', '0644', 'yes', 5, true, 'a: b', {}, []),
  fc.constant<YamlValue>({ g: 'x', m: { p: [1, { q: 'r' }] } }),
);

/** Paths in a value, and below its empty values, that a fix may set. */
function places(at: YamlValue | undefined, steps: Fix['path'] = []): Fix['path'][] {
  if (Array.isArray(at)) return [[...steps, '-'], ...at.flatMap((one, i) => places(one, [...steps, i]))];
  if (isObject(at))
    return [
      [...steps, 'new'],
      [...steps, 'other', 'deep'],
      ...Object.entries(at).flatMap(([name, one]) => places(one, [...steps, name])),
    ];
  return at === null ? [steps, [...steps, 'new'], [...steps, '-']] : [];
}

function choose(text: string, picks: readonly (readonly [number, YamlValue])[]): Fix[] {
  const from = read(text);
  const all = places(from);
  const fixes: Fix[] = [];
  for (const [pick, one] of picks) {
    const fix = { path: all[pick % all.length] ?? ['new'], value: one };
    if (withFixes(from, [...fixes, fix]) !== undefined) fixes.push(fix);
  }
  return fixes;
}

const picks = fc.array(fc.tuple(fc.nat(), value), { minLength: 1, maxLength: 5 });
/** All text that a splice may replace: an alias, or an empty value with its anchor. */
const EMPTY_OR_ALIAS = /^(\*x| *(&e )?(\{\}|\[\]|null|~)?| *&e)$/;
const RUNS = 2000;

test('any document, any fixes: the values are right, and existing text stays', () => {
  let refused = 0;
  fc.assert(
    fc.property(documentText, picks, (text, chosen) => {
      const fixes = choose(text, chosen);
      const wanted = withFixes(read(text), fixes);
      let splices;
      try {
        splices = editDocument(text, fixes, 'w');
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        refused++;
        return;
      }
      const after = splice(text, splices);
      // The matchers of jest are slower than the edits.
      if (!isDeepStrictEqual(read(after), wanted)) expect(read(after)).toEqual(wanted);
      const replaced = splices.map(({ start, end }) => text.slice(start, end));
      expect(replaced.filter((one) => !EMPTY_OR_ALIAS.test(one))).toEqual([]);
      const set = fixes.filter((fix) => fix.path.at(-1) !== '-' && fix.value !== null);
      if (set.length > 0) expect(() => editDocument(after, set, 'w')).toThrow(InputError);
    }),
    { numRuns: RUNS },
  );
  expect(refused / RUNS).toBeLessThan(0.02);
}, 120_000);

describeWithTool('kubectl', 'kubectl reads every character that an edit writes', (kubectl) => {
  const HEAD = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n';
  const JSON_HEAD = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}';
  const readData = (input: string) =>
    (
      JSON.parse(
        execFileSync(kubectl, ['label', '--local', '-f', '-', 'x=y', '-o', 'json'], {
          input,
          encoding: 'utf8',
          maxBuffer: 1 << 26,
        }),
      ) as { data: Record<string, string> }
    ).data;
  /** All code points of the first plane without the surrogates, and some of the others, 256 in each string. */
  const BLOCKS = [...Array(0x100).keys(), 0x1f6, 0x1ff, 0x10ff]
    .filter((block) => block < 0xd8 || block > 0xdf)
    .map((block) => Array.from({ length: 256 }, (_, i) => String.fromCodePoint(block * 256 + i)).join(''));
  const EXPECTED = Object.fromEntries(BLOCKS.map((block, i) => [`k${i}`, block]));
  const fixes = Object.entries(EXPECTED).map(([name, one]) => ({ path: ['data', name], value: one }));

  it.each([
    ['YAML', HEAD],
    ['YAML in flow style', `${HEAD}data: {}  # c\n`],
    ['JSON', `${JSON_HEAD}}`],
  ])('in %s', (_, text) => {
    expect(readData(edit(text, ...fixes))).toEqual(EXPECTED);
  });

  it('U+FFFE, U+FFFF and U+0085 alone, as values', () => {
    for (const c of ['\ufffe', '\uffff', '\u0085', '\u2028', '\ufeff', '\x7f', '\x1b'])
      expect(readData(edit(HEAD, set('data.k', `/a${c}=1Mi`)))).toEqual({ k: `/a${c}=1Mi` });
  });

  // Go's YAML reader refuses the escape of a lone surrogate; its JSON reader decodes it to U+FFFD.
  it('a lone surrogate, which only JSON input may have, is U+FFFD', () => {
    const text = `${JSON_HEAD},"data":{"k":"\\ud800"}}`;
    expect(readData(text)).toEqual({ k: '\ufffd' });
    expect(read(text)).toMatchObject({ data: { k: '\ufffd' } });
    expect(readData(edit(text, set('data.l', '/a\ufffd=1Mi')))).toEqual({ k: '\ufffd', l: '/a\ufffd=1Mi' });
    expect(JSON.parse(safeJson('\\ud800 \ud800 😀'))).toBe('\\ud800 \ufffd 😀');
  });
});

describeWithTool('kubectl', 'kubectl reads the wanted values', (kubectl) => {
  const HEAD = 'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: w\n';
  const PODS = [
    '  containers:\n  - name: a\n    image: a:v1\n',
    '    containers:\n      - name: a\n        image: a:v1 # c\n        # d\n      - name: b\n        securityContext: {}\n',
    '  containers: [{name: a, securityContext: {}}, {"name": "b"}]\n',
    '  containers:\n  - &a\n    name: a\n    securityContext: {}\n  - <<: *a\n    name: b\n',
    '  containers:\n  - name: a\n    args:\n    - |\n      x\n      # y\n    securityContext:\n',
    '  containers:\n  - name: a\n    securityContext: ~\n    args: [ "x" ]\n  volumes: # none\n',
  ];
  const VALUES: YamlValue[] = [
    '0644',
    'yes',
    '1e3',
    'x',
    '22:22',
    "it's",
    'ü',
    '',
    'a # b',
    '- a',
    '~',
    '{',
    '*a',
  ];

  const documents = PODS.flatMap((pod) =>
    VALUES.flatMap((one) =>
      ['\n', '\r\n'].map((newline) => {
        const indent = pod.startsWith('    ') ? '    ' : '  ';
        const text = `${HEAD}spec:\n${indent}template:\n${indent}${indent}spec:\n${pod.replace(/^/gm, indent + indent).trimEnd()}\n`;
        const spec = ['spec', 'template', 'spec'];
        return {
          text: text.replaceAll('\n', newline),
          fixes: [
            { path: [...spec, 'containers', 0, 'securityContext', 'runAsNonRoot'], value: true },
            { path: [...spec, 'containers', 0, 'env', '-'], value: { name: 'A', value: one } },
            { path: [...spec, 'volumes', '-'], value: { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } } },
            { path: [...spec, 'nodeName'], value: one },
          ],
        };
      }),
    ),
  );

  test(`in ${documents.length} documents`, () => {
    const input = documents.map(({ text, fixes }) => edit(text, ...fixes)).join('---\n');
    const output = execFileSync(
      kubectl,
      ['label', '--local', '--overwrite', '-f', '-', 'x=y', '-o', 'json'],
      {
        input,
        encoding: 'utf8',
        maxBuffer: 1 << 26,
      },
    );
    const found = output
      .split(/^(?=\{)/m)
      .map((one) => JSON.parse(one) as { spec: { template: { spec: YamlObject } } })
      .map(({ spec }) => spec.template.spec);
    const wanted = documents.map(({ text, fixes }) => {
      const { spec } = (withFixes(read(text), fixes) ?? {}) as { spec: { template: { spec: YamlObject } } };
      return spec.template.spec;
    });
    expect(found.map(withoutEmpty)).toEqual(wanted.map(withoutEmpty));
  });

  test('and kustomize builds them', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'edit-'));
    const plain = documents.filter(({ text }) => !text.includes('<<') && !text.includes('\r'));
    plain.forEach(({ text, fixes }, i) => {
      writeFileSync(path.join(folder, `${i}.yaml`), edit(text.replace('name: w', `name: w${i}`), ...fixes));
    });
    const resources = plain.map((_, i) => `- ${i}.yaml\n`).join('');
    writeFileSync(path.join(folder, 'kustomization.yaml'), `resources:\n${resources}`);
    const built = execFileSync(kubectl, ['kustomize', folder], { encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    const found = new Map(
      parseYaml(built, 'built').map((document) => {
        const resource = valueOf(document) as { metadata: { name: string }; spec: YamlObject };
        return [resource.metadata.name, resource.spec];
      }),
    );
    for (const [i, { text, fixes }] of plain.entries())
      expect(found.get(`w${i}`)).toEqual(withFixes(read(text), fixes)?.spec);
  });
});

/** kubectl omits empty fields of its types. */
function withoutEmpty(at: YamlValue): YamlValue {
  if (Array.isArray(at)) return at.map(withoutEmpty);
  if (!isObject(at)) return at;
  const kept = Object.entries(at).filter(([name, one]) => one !== null && one !== '' && name !== 'resources');
  return Object.fromEntries(kept.map(([name, one]) => [name, withoutEmpty(one)]));
}

describeWithTool('kpt', 'kpt fn render keeps each comment once, at its place', (kpt) => {
  const ROOT = path.join(__dirname, '../..');
  const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  # last in metadata
spec:
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: web
          image: web:v1 # after an image
          # last in a container
            # and deeper
        # above a container
        - name: side
          # above an image
          image: side:v1
          env:
            - name: A
              value: a # after a value
              # last in an entry
          # below env
        - name: empty
          image: empty:v1
          securityContext: {} # after an empty value
          volumeMounts: # after a bare key
          # last in an empty container
        # last in containers
      # last in the pod spec
    # last in the template
  # last in the spec
# last in the file
`;
  const KPTFILE = `apiVersion: kpt.dev/v1
kind: Kptfile
metadata:
  name: comments
pipeline:
  mutators:
    - exec: node ${path.join(ROOT, 'dist/guardrails.js')}
`;
  const KUSTOMIZATION =
    'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n  - deployment.yaml\n';

  beforeAll(() => {
    execFileSync(process.execPath, [path.join(ROOT, 'functions/build.mjs')]);
  });

  test('over three renders', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'edit-'));
    const file = path.join(folder, 'deployment.yaml');
    writeFileSync(path.join(folder, 'Kptfile'), KPTFILE);
    writeFileSync(path.join(folder, 'kustomization.yaml'), KUSTOMIZATION);
    writeFileSync(file, DEPLOYMENT);
    const rendered = [1, 2, 3].map(() => {
      const { status, stderr } = spawnSync(kpt, ['fn', 'render', '--allow-exec'], {
        cwd: folder,
        encoding: 'utf8',
      });
      expect({ status, stderr }).toMatchObject({ status: 0 });
      return readFileSync(file, 'utf8');
    });
    rmSync(folder, { recursive: true });
    const comments = (text: string | undefined) => text?.match(/# .*/g)?.sort();
    for (const text of rendered) expect(comments(text)).toEqual(comments(DEPLOYMENT));
    expect(rendered[0]).toContain('          securityContext: {allowPrivilegeEscalation: false');
    expect(rendered[2]).toBe(rendered[1]);
  });
});
