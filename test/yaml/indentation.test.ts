import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { YAMLException, parseEvents } from 'js-yaml';
import { readWire } from '../../functions/guardrails/krm/wire';
import { type Edit, editDocument } from '../../functions/guardrails/yaml/edit';
import { parseAnyYaml } from '../../functions/guardrails/yaml/parse';
import { placeOf } from '../../functions/guardrails/yaml/place';
import { splice } from '../../functions/guardrails/yaml/text';
import {
  type YamlNode,
  type YamlObject,
  type YamlValue,
  isObject,
  parseYaml,
  valueOf,
} from '../../functions/guardrails/yaml/yaml';
import { refusalOf } from '../support/refusal';
import { describeWithTool } from '../support/tools';

const HEAD = 'apiVersion: x/v1\nkind: Foo\nmetadata: {name: foo}\n';

function rootOf(text: string): YamlNode {
  const [root, ...more] = parseYaml(text, 'w');
  if (root === undefined || root === null || more.length > 0) throw new Error('not one document');
  return root;
}

function read(text: string): YamlObject {
  const value = valueOf(rootOf(text));
  if (!isObject(value)) throw new Error('not a mapping');
  return JSON.parse(JSON.stringify(value)) as YamlObject;
}

function edit(text: string, change: Edit): string {
  return splice(text, editDocument(text, change, 'w'));
}

/** What js-yaml alone says about a text, up to the text that it quotes. */
function messageOfParser(text: string): string {
  try {
    parseEvents(text, { maxDepth: 500 });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    return `w:${(error.mark?.line ?? -1) + 1}: invalid YAML: ${error.reason.replace(/ ['"].*/s, '')}; fix the syntax`;
  }
  return 'accepted';
}

/** The sources of the flow collections, scalars and aliases of a document, each before its children. */
function sourcesIn(text: string, node: YamlNode = rootOf(text)): string[] {
  const children =
    node.kind === 'mapping'
      ? node.entries.flatMap(({ key, value }) => [key, value])
      : node.kind === 'sequence'
        ? node.items
        : [];
  const isBlock = (node.kind === 'mapping' || node.kind === 'sequence') && !node.flow;
  const own = isBlock ? [] : [text.slice(node.start, node.end)];
  return [...own, ...children.flatMap((child) => sourcesIn(text, child))];
}

/** A field `v:` of the root with its value, and sources that `sourcesIn` must find in this order. */
type Shape = [title: string, field: string, value: YamlValue, sources: string[]];

const SHAPES: Shape[] = [
  ['a closing bracket in the column of the key', 'v: [\n  a\n]\n', ['a'], ['[\n  a\n]', 'a']],
  ['entries in column 0', 'v:\n  k: [\n"a",\nb\n]\n', { k: ['a', 'b'] }, ['[\n"a",\nb\n]', '"a"', 'b']],
  ['a flow mapping', 'v: {\na: 1,\n b: 2\n}\n', { a: 1, b: 2 }, ['{\na: 1,\n b: 2\n}', 'a', '1', 'b', '2']],
  ['a value on its own line', 'v: {a:\n1}\n', { a: 1 }, ['{a:\n1}', 'a', '1']],
  ['nested', 'v: [{\na: [\n1]\n},\n[]]\n', [{ a: [1] }, []], ['{\na: [\n1]\n}', 'a', '[\n1]', '1', '[]']],
  ['comments', 'v: [ # c ]\n# d ]\na # e\n# f\n, b\n]\n', ['a', 'b'], ['a', 'b']],
  ['empty lines', 'v: [\n\n\na,\n\n]\n', ['a'], ['[\n\n\na,\n\n]', 'a']],
  ['a plain scalar over lines', 'v: [a\nb\n\nc, d]\n', ['a b\nc', 'd'], ['a\nb\n\nc', 'd']],
  ['a plain scalar with a percent sign in column 0', 'v: [a\n%b]\n', ['a %b'], ['a\n%b']],
  [
    'pairs in a list',
    'v: [a: 1,\nb: 2]\n',
    [{ a: 1 }, { b: 2 }],
    ['[a: 1,\nb: 2]', 'a: 1', '1', 'b: 2', '2'],
  ],
  [
    'a pair with an explicit key',
    'v: [? a\n: {b: 1},\n]\n',
    [{ a: { b: 1 } }],
    ['a\n: {b: 1}', 'a', '{b: 1}'],
  ],
  ['in a list', 'v:\n- [\na]\n- - [\nb]\n', [['a'], [['b']]], ['[\na]', 'a', '[\nb]', 'b']],
  [
    'keys after it',
    'v:\n  k: [\na\n]\n  l: {\nb: 1\n}\n  m: 1\n',
    { k: ['a'], l: { b: 1 }, m: 1 },
    ['m', '1'],
  ],
  ['below its key', 'v:\n  [\na\n]\n', ['a'], ['[\na\n]', 'a']],
  ['anchor, tag and alias', 'v: &x [\n&y a, !!str\n1, *y\n]\n', ['a', '1', 'a'], ['a', '1', '*y']],
  ['an anchored collection twice', 'v: [&x [\n1\n],\n*x]\n', [[1], [1]], ['[\n1\n]', '1', '*x']],
  ['double quotes', 'v:\n  k: "a\nb\n\nc"\n', { k: 'a b\nc' }, ['"a\nb\n\nc"']],
  ['single quotes', "v:\n  k: 'it''s\na'\n", { k: "it's a" }, ["'it''s\na'"]],
  ['an escaped line break', 'v: "a\\\nb\\"\nc"\n', 'ab" c', ['"a\\\nb\\"\nc"']],
  [
    'an escaped line break in the column of the key',
    'v:\n  run: "java \\\n  --port 80"\n',
    { run: 'java --port 80' },
    ['run', '"java \\\n  --port 80"'],
  ],
  [
    'single quotes in a list of mappings',
    "v:\n  - run: 'java\n  --port 80'\n    k: 1\n",
    [{ run: 'java --port 80', k: 1 }],
    ['run', "'java\n  --port 80'", 'k', '1'],
  ],
  [
    'both quotes inside a flow mapping',
    'v:\n    k: {run: "java \\\n  --port 80", l: [\'a\n b\']}\n',
    { k: { run: 'java --port 80', l: ['a b'] } },
    ['run', '"java \\\n  --port 80"', 'l', "'a\n b'"],
  ],
  ['brackets and comments in quotes', 'v: "a [\n# b\n] {"\nw: 1\n', 'a [ # b ] {', ['w', '1']],
  ['a quote at the end of the text', 'v: "a\nb"', 'a b', ['"a\nb"']],
  ['quotes in a list', 'v:\n  - "a\nb"\n  - \'c\nd\'\n', ['a b', 'c d'], ['"a\nb"', "'c\nd'"]],
  ['quotes in a flow collection', 'v: ["a\nb", \'c\n\nd\']\n', ['a b', 'c\nd'], ['"a\nb"', "'c\n\nd'"]],
  ['tabs in quotes', 'v: "a\n\tb"\n', 'a b', ['"a\n\tb"']],
  ['lines with tabs', 'v: [\n\t"a",\n\tb,\n\t]\n', ['a', 'b'], ['[\n\t"a",\n\tb,\n\t]', '"a"', 'b']],
  ['lines with tabs and spaces', 'v: {\n \t"a": 1,\n\t "b": 2,}\n', { a: 1, b: 2 }, ['"a"', '1', '"b"', '2']],
  ['a tab after an indented scalar', 'v: [\n  a\n \t]\n', ['a'], ['a']],
  ['tabs on the line of the key', 'v: [\ta\t,\tb c\td\t]\n', ['a', 'b c\td'], ['a', 'b c\td']],
  ['a tab before the collection', 'v:\t[a,\n"b"]\n', ['a', 'b'], ['[a,\n"b"]', 'a', '"b"']],
  ['a tab before an anchor', 'v:\t&x\t[a]\n', ['a'], ['[a]', 'a']],
  [
    'block scalars around it',
    'v:\n  k: |\n    [\n    "\n  l: [\na]\n  m: >-\n    [ "\n\n    # b\n  o: |2\n      [\n  p: 1\n',
    { k: '[\n"\n', l: ['a'], m: '[ "\n# b', o: '  [\n', p: 1 },
    ['[\na]', 'a', 'p', '1'],
  ],
  [
    'plain scalars around it',
    'v:\n  k: a [ "\n    \' b\n  l: [\na]\n  m: don\'t {\n  o: x#"y # "\n',
    { k: 'a [ " \' b', l: ['a'], m: "don't {", o: 'x#"y' },
    ['a [ "\n    \' b', '[\na]', 'a', "don't {", 'x#"y'],
  ],
  [
    'explicit keys around it',
    'v:\n  ? a\n  : [\nb]\n  ? |\n    [\n  : "c\nd"\n',
    { a: ['b'], '[\n': 'c d' },
    ['[\nb]', 'b', '"c\nd"'],
  ],
];

function expectInOrder(found: readonly string[], expected: readonly string[]): void {
  const missing = [...expected];
  for (const source of found) if (source === missing[0]) missing.shift();
  expect({ found, missing }).toEqual({ found, missing: [] });
}

describe('indentation in flow collections and quotes has no meaning', () => {
  it.each(SHAPES)('%s', (_, field, value, sources) => {
    const text = HEAD + field;
    expect(read(text).v).toEqual(value);
    expectInOrder(sourcesIn(text), sources);
  });

  it.each(SHAPES)('%s, with CRLF', (_, field, value, sources) => {
    const text = (HEAD + field).replaceAll('\n', '\r\n');
    expect(read(text).v).toEqual(value);
    expectInOrder(
      sourcesIn(text),
      sources.map((source) => source.replaceAll('\n', '\r\n')),
    );
  });

  test('an alias and its anchor share their node', () => {
    const root = rootOf('a: &x [\n1\n]\nb: *x\n');
    if (root.kind !== 'mapping') throw new Error('no mapping');
    const [a, b] = root.entries.map(({ value }) => value);
    expect(b).toMatchObject({ kind: 'alias', target: a });
    expect(b?.kind === 'alias' && b.target).toBe(a);
  });

  test('an item of a ResourceList', () => {
    const item = 'apiVersion: v1\n  kind: ConfigMap\n  data:\n    run: "java \\\n    --port 80"\n';
    const list = 'apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n';
    for (const text of [`${list}- ${item}`, `${list}  - ${item.replaceAll('\n  ', '\n    ')}`]) {
      const input = readWire(text);
      expect(input.items.map(({ value }) => value.data)).toEqual([{ run: 'java --port 80' }]);
      expect(input.print([])).toBe(text);
    }
  });

  test('several documents', () => {
    const text = 'a: [\n1\n]\n---\nb: "x\ny"\n...\n---\n- |\n  [\n- {\n}\n';
    expect(parseAnyYaml(text, 'w').map(valueOf)).toEqual([{ a: [1] }, { b: 'x y' }, ['[\n', {}]]);
  });

  test('the place of a field', () => {
    const text = 'v:\n  k: [\n"a",\n{b: "c\nd",\n\te: 1}\n]\n  l: 2\n';
    expect(placeOf(text, ['v', 'k', 0])).toEqual({ line: 3, column: 1 });
    expect(placeOf(text, ['v', 'k', 1, 'b'])).toEqual({ line: 4, column: 2 });
    expect(placeOf(text, ['v', 'k', 1, 'e'])).toEqual({ line: 6, column: 2 });
    expect(placeOf(text, ['v', 'l'])).toEqual({ line: 8, column: 3 });
  });
});

/** Texts that Go refuses, too. */
const REFUSED: [title: string, text: string][] = [
  ['a key that is too far left', 'v:\n    b: 1\n  c: 1\n'],
  ['a key that is too far left, after a valid collection', 'u: [\n  a\n  ]\nv:\n    b: 1\n  c: 1\n'],
  ['an unclosed bracket', 'v: [a,\nw: 1\n'],
  ['an unclosed brace', 'v: {\na: 1\nw: 1\n'],
  ['an unclosed double quote', 'v: "a\nw: 1\n'],
  ['an unclosed single quote', "v: 'a\nw: 1\n"],
  ['a double quote that another key closes', 'v: "a\nw: "b"\n'],
  ['a bracket that another value closes', 'v: [a,\nw: [b]\nx: 1\n'],
  ['the wrong bracket', 'v: [a\n}\n'],
  ['a comma that is missing', 'v: [\n"a"\n"b"\n]\n'],
  ['a document marker in a collection', 'v: [a,\n---\nb]\n'],
  ['a document marker in quotes', 'v: "a\n--- b"\n'],
  ['an end marker in quotes', "v: 'a\n...\nb'\n"],
  ['a dash in a collection', 'v: [a,\n- b]\n'],
  ['a collection over lines as a key', 'u: 1\n[a,\nb]: c\n'],
  ['a collection in the column of the key', 'v:\n[a]\n'],
  ['a tab below a plain scalar', 'v: [\n  a\n\t]\n'],
  ['a tab in a plain scalar over lines', 'v: [\n  a\n\tb,\n  ]\n'],
  ['a tab after a dash', 'v:\n-\t[a]\n'],
  ['a tab as indentation of a block', 'v:\n\t[a]\n'],
];

describe('a text that Go refuses stays refused, with the same message', () => {
  it.each(REFUSED)('%s', (_, text) => {
    const message = refusalOf(() => parseYaml(text, 'w'));
    expect(message).toBe(messageOfParser(text));
    expect(message).toMatch(/^w:\d+: invalid YAML: .+; fix the syntax$/);
  });

  it('a comment directly after quotes, which Go accepts', () => {
    expect(refusalOf(() => parseYaml('v: "x"#c\n', 'w'))).toMatch(/^w:1: invalid YAML: /);
  });

  it('an error after such a collection is reported at its line', () => {
    const text = 'v: [\na,\n"b\nc"\n]\nw: "x\ny"\nx:\n    y: 1\n  canary: 1\n';
    expect(refusalOf(() => parseYaml(text, 'w'))).toBe(
      'w:10: invalid YAML: bad indentation of a mapping entry; fix the syntax',
    );
    expect(refusalOf(() => parseAnyYaml('v: [\na,\n*b\n]\n', 'w', 11))).toBe(
      'w:13: invalid YAML: the anchor of an alias is not in the same document or item; fix the syntax',
    );
  });
});

const EDITS: [title: string, before: string, change: Edit, after: string][] = [
  [
    'an entry for a list',
    's:\n  args: [\n"a",\n]\n  k: 1\n',
    [{ path: ['s', 'args', '-'], value: 'b' }],
    's:\n  args: [\n"a", b,\n]\n  k: 1\n',
  ],
  [
    'an entry for a list that closes in the column of its key',
    's:\n  args: [\n    "a"\n  ]\n  k: 1\n',
    [{ path: ['s', 'args', '-'], value: 'b' }],
    's:\n  args: [\n    "a",\n    b\n  ]\n  k: 1\n',
  ],
  [
    'an entry for a list with tabs',
    's:\n  args: [\n\t"a",\n\t]\n  k: 1\n',
    [{ path: ['s', 'args', '-'], value: 'b' }],
    's:\n  args: [\n\t"a", b,\n\t]\n  k: 1\n',
  ],
  [
    'a key for a mapping with tabs',
    's: {\n\t"a": 1,\n\t"b": "x\ny"\n}\n',
    [{ path: ['s', 'c'], value: { d: true } }],
    's: {\n\t"a": 1,\n\t"b": "x\ny", "c": {"d": true}\n}\n',
  ],
  [
    'a key for an empty mapping',
    's:\n  m: { # c\n}\n  k: 1\n',
    [{ path: ['s', 'm', 'a'], value: 1 }],
    's:\n  m: {a: 1 # c\n}\n  k: 1\n',
  ],
  [
    'a key beside a list',
    's:\n  args: [\n"a",\n] # c\n# d\nt: 1\n',
    [{ path: ['s', 'k'], value: true }],
    's:\n  args: [\n"a",\n] # c\n  k: true\n# d\nt: 1\n',
  ],
  [
    'a key beside quotes',
    's:\n  - a: "x\ny"\n  - b: \'x\n\ny\'\n',
    [
      { path: ['s', 0, 'k'], value: true },
      { path: ['s', 1, 'k'], value: true },
    ],
    's:\n  - a: "x\ny"\n    k: true\n  - b: \'x\n\ny\'\n    k: true\n',
  ],
  [
    'a copy of an anchored list',
    's: &x {k: [\n"a\nb",\n\t1]}\nt: *x\n',
    [{ path: ['t', 'l'], value: true }],
    's: &x {k: [\n"a\nb",\n\t1]}\nt: {k: ["a b", 1], l: true}\n',
  ],
  [
    'without an entry of a flow list',
    's: [\n"a",\n"b",\n"c"\n]\nt: 1\n',
    { list: 's', index: 1 },
    's: [\n"a",\n"c"\n]\nt: 1\n',
  ],
  [
    'without the first entry of a flow list',
    's: [\n"a",\n"b",\n]\nt: 1\n',
    { list: 's', index: 0 },
    's: [\n"b",\n]\nt: 1\n',
  ],
  ['without the only entry', 's: [\n"a\nb",\n]\nt: 1\n', { list: 's', index: 0 }, 't: 1\n'],
  [
    'without an entry over lines',
    's:\n- k: "a\nb"\n- l: [\nc\n]\n- m: 1\n',
    { list: 's', index: 1 },
    's:\n- k: "a\nb"\n- m: 1\n',
  ],
];

describe('an edit keeps the bytes of everything else', () => {
  it.each(EDITS)('%s', (_, before, change, after) => {
    expect(edit(before, change)).toBe(after);
    const crlf = (text: string) => text.replaceAll('\n', '\r\n');
    expect(edit(crlf(before), change)).toBe(crlf(after));
  });
});

/** Where a token may be followed by a line break, and what is written there. */
interface Gap {
  readonly before: string;
  readonly indent: string;
  readonly isAfterPlain: boolean;
}
type Part = string | Gap;

const break_ = (isAfterPlain: boolean) =>
  fc
    .tuple(
      fc.constantFrom('', ' ', '\n', '\r\n', ' # ] } "\n', ' # c\r\n', '\n\n', "\n# [ '\n"),
      fc.constantFrom('', '', ' ', '  ', '   \t', '\t', '\t\t ', '          '),
    )
    .map(([before, indent]): Gap => ({ before, indent, isAfterPlain }));

/** A nested flow value as tokens and gaps. */
const { value: flowValue } = fc.letrec<{ value: Part[]; list: Part[]; mapping: Part[]; scalar: Part[] }>(
  (tie) => {
    const word = fc.constantFrom('a', 'b1', '12', 'yes', 'x y', 'a-b', "it's", 'é');
    const quotedWord = fc.constantFrom('a', '[', ']', '{ b', '# c', ': ', ',', '- ', 'é', '');
    const quotedGap = fc
      .tuple(fc.constantFrom(' ', '\n', '\r\n', '\n\n'), fc.constantFrom('', '', ' ', '  ', '\t', '      '))
      .map(([before, indent]): Gap => ({ before, indent, isAfterPlain: false }));
    const quoted = (quote: string) =>
      fc
        .array(fc.tuple(quotedWord, quotedGap), { minLength: 1, maxLength: 3 })
        .map((words): Part[] => [quote, ...words.flat().slice(0, -1), quote]);
    const entries = (entry: fc.Arbitrary<Part[]>, brackets: readonly [string, string]) =>
      fc
        .tuple(
          break_(false),
          fc.array(fc.tuple(entry, break_(true), break_(false)), { maxLength: 4 }),
          fc.boolean(),
        )
        .map(([first, items, hasComma]): Part[] => {
          const parts = items.flatMap(([item, after, next], i): Part[] =>
            i === items.length - 1 && !hasComma ? [...item, after] : [...item, after, ',', next],
          );
          return [brackets[0], first, ...parts, brackets[1]];
        });
    const key = fc.constantFrom('k', 'l', '"m n"', "'o'", 'p q');
    return {
      scalar: fc.oneof(
        word.map((text): Part[] => [text]),
        quoted('"'),
        quoted("'"),
      ),
      list: entries(tie('value'), ['[', ']']),
      mapping: entries(
        fc
          .tuple(key, break_(false), tie('value'))
          .map(([name, gap, value]): Part[] => [`${name}:`, { ...gap, before: gap.before || ' ' }, ...value]),
        ['{', '}'],
      ),
      value: fc.oneof({ maxDepth: 3 }, tie('scalar'), tie('list'), tie('mapping')),
    };
  },
);

const CONTEXTS = [
  ['v: ', '\n'],
  ['v:\n  k: ', '\n  l: 1\nw: [ ]\n'],
  ['v:\n- ', '\n- "b"\n'],
  ['v:\n  - k: ', ' # c\n    l: |\n      [ "\n  - 1\n'],
  ['v:\n    k:\n      &x\n      ', '\n    l: *x\n'],
] as const;

function print(parts: readonly Part[], indentOf: (gap: Gap) => string): string {
  return parts
    .map((part) => {
      if (typeof part === 'string') return part;
      return part.before.includes('\n') ? part.before + indentOf(part) : part.before;
    })
    .join('');
}

/** With the indentation of its gaps. Go refuses a tab that follows a plain scalar and is not indented. */
function printLoosely(parts: readonly Part[]): string {
  return print(parts, ({ indent, isAfterPlain }) => (isAfterPlain ? indent.replaceAll('\t', '') : indent));
}

const looseTexts = fc
  .tuple(
    fc.oneof(
      flowValue,
      flowValue.filter((parts) => parts.length > 4),
    ),
    fc.constantFrom(...CONTEXTS),
  )
  .map(([parts, [head, tail]]) => ({
    loose: HEAD + head + printLoosely(parts) + tail,
    indented: HEAD + head + print(parts, () => ' '.repeat(20)) + tail,
  }));

test('a text with random indentation has the nodes of the indented text', () => {
  let changed = 0;
  fc.assert(
    fc.property(looseTexts, ({ loose, indented }) => {
      if (messageOfParser(loose) !== 'accepted') changed++;
      expect(read(loose)).toEqual(read(indented));
      const withoutIndentation = (sources: string[]) => sources.map((one) => one.replace(/\n[ \t]+/g, '\n'));
      expect(withoutIndentation(sourcesIn(loose))).toEqual(withoutIndentation(sourcesIn(indented)));
    }),
    { numRuns: 600 },
  );
  expect(changed).toBeGreaterThan(100);
});

test('a random text is read, or refused at one of its lines', () => {
  const piece = fc.constantFrom(
    ...['v: ', 'k: ', '- ', '? ', ': ', '[', ']', '{', '}', '"', "'", ',', 'a', ' ', '  ', '\t', '# c'],
    ...[
      '\n',
      '\n',
      '\n  ',
      '\n    ',
      '|',
      '>-',
      '|2',
      '---',
      '...',
      '%',
      '&x ',
      '*x',
      '!!str ',
      '\\',
      '\r\n',
    ],
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => {
      const text = pieces.join('');
      const message = refusalOf(() => parseAnyYaml(text, 'w').map(valueOf));
      if (message === 'accepted' || !message.startsWith('w:')) return;
      const line = Number(/^w:(\d+): invalid YAML: /.exec(message)?.[1]);
      expect(line).toBeLessThanOrEqual(text.split('\n').length);
    }),
    { numRuns: 3000 },
  );
});

describe('20,000 lines take seconds at most', () => {
  const LINES = 20_000;
  const many = (line: (i: number) => string) => Array.from({ length: LINES }, (_, i) => line(i)).join('');
  it.each<[string, string, string]>([
    ['in one list', `v:\n  k: [\n${many((i) => `"a${i}",\n`)}]\n`, 'accepted'],
    ['in one list with tabs', `v:\n  k: [\n${many((i) => `\t"a${i}",\n`)}]\n`, 'accepted'],
    ['in one quoted scalar', `v: "${many((i) => `a${i}\n`)}"\n`, 'accepted'],
    ['in one plain scalar', `v: [${many(() => 'a\n')}]\n`, 'accepted'],
    ['in lists of their own', many((i) => `k${i}: [\n]\n`), 'accepted'],
    ['in quoted scalars of their own', many((i) => `- k${i}: 'a\nb'\n`), 'accepted'],
    [
      'without an end',
      `v: [\n${many((i) => `"a${i}",\n`)}`,
      'w:2: invalid YAML: deficient indentation; fix the syntax',
    ],
    [
      'after too many spaces for a copy',
      `${' '.repeat(100_000)}v: [\n${many(() => '1,\n')}]\n`,
      'w:2: invalid YAML: deficient indentation; fix the syntax',
    ],
    [
      'of opening brackets',
      `v: ${many(() => '[\n')}${many(() => ']\n')}`,
      'w:2: invalid YAML: deficient indentation; fix the syntax',
    ],
  ])('%s', (_, text, message) => {
    const start = performance.now();
    expect(refusalOf(() => parseYaml(text, 'w'))).toBe(message);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

describeWithTool('kubectl', 'kubectl reads the same', (kubectl) => {
  const arguments_ = ['label', '--local', '-f', '-', 'x=y', '-o', 'json'];
  const readAll = (texts: readonly string[]) => {
    const input = texts.map((text) => (text.endsWith('\n') ? text : `${text}\n`)).join('---\n');
    const output = execFileSync(kubectl, arguments_, { input, encoding: 'utf8', maxBuffer: 1 << 28 });
    return output.split(/^(?=\{)/m).map((one) => JSON.parse(one) as YamlObject);
  };

  test('the shapes', () => {
    const texts = SHAPES.map(([, field]) => HEAD + field);
    const found = readAll([...texts, ...texts.map((text) => text.replaceAll('\n', '\r\n'))]);
    expect(found.map(({ v }) => v)).toEqual([...SHAPES, ...SHAPES].map(([, , value]) => value));
  });

  test('random texts', () => {
    const texts = fc.sample(looseTexts, 300).map(({ loose }) => loose);
    expect(readAll(texts).map(({ v }) => v)).toEqual(texts.map((text) => read(text).v));
  });

  test('edited texts', () => {
    const texts = EDITS.map(([, , , after]) => HEAD + after);
    const edited = (object: YamlObject) => [object.s, object.t];
    expect(readAll(texts).map(edited)).toEqual(texts.map(read).map(edited));
  });

  it.each(REFUSED)('and refuses %s', (_, text) => {
    const { status, stderr } = spawnSync(kubectl, arguments_, { input: HEAD + text, encoding: 'utf8' });
    expect(stderr).toMatch(/^error: .*yaml/i);
    expect(status).toBe(1);
  });

  test('and kustomize builds the shapes', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'indentation-'));
    const configMap = (field: string, i: number) => `${HEAD.replace('name: foo', `name: foo-${i}`)}${field}`;
    SHAPES.forEach(([, field], i) => {
      writeFileSync(path.join(folder, `${i}.yaml`), configMap(field, i));
    });
    const resources = SHAPES.map((_, i) => `- ${i}.yaml\n`).join('');
    writeFileSync(path.join(folder, 'kustomization.yaml'), `resources:\n${resources}`);
    const { stdout, stderr } = spawnSync(kubectl, ['kustomize', folder], { encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    expect(stderr).toBe('');
    const found = new Map(
      parseYaml(stdout, 'built').map((document) => {
        const { metadata, v } = valueOf(document) as { metadata: { name: string }; v: YamlValue };
        return [metadata.name, v];
      }),
    );
    for (const [i, [, , value]] of SHAPES.entries()) expect(found.get(`foo-${i}`)).toEqual(value);
  });
});
