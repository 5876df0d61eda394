import { type FieldPath, formatPath } from '../../functions/guardrails/yaml/field-path';
import { placeOf } from '../../functions/guardrails/yaml/place';

const BLOCK = `# head
kind: A
spec:
  # above
  "list":
  - name: a # first
    image: b
  -   name: c
  - |
    text
  empty:
`;

describe('placeOf returns line and column of the deepest node on the path', () => {
  it.each<[title: string, text: string, path: FieldPath, line: number, column: number]>([
    ['a key', BLOCK, ['kind'], 2, 1],
    ['a key after a comment, in quotes', BLOCK, ['spec', 'list'], 5, 3],
    ['a list item', BLOCK, ['spec', 'list', 0], 6, 5],
    ['a key in a list item', BLOCK, ['spec', 'list', 0, 'image'], 7, 5],
    ['a list item far from its dash', BLOCK, ['spec', 'list', 1, 'name'], 8, 7],
    ['a key without a value', BLOCK, ['spec', 'empty'], 11, 3],
    ['the parent of a missing key', BLOCK, ['spec', 'list', 0, 'env', 0, 'name'], 6, 5],
    ['the parent of a key in an empty value', BLOCK, ['spec', 'empty', 'a'], 11, 3],
    ['the list for an index after its end', BLOCK, ['spec', 'list', 3], 5, 3],
    ['the list for a new entry', BLOCK, ['spec', 'list', '-'], 5, 3],
    ['the root for a missing first key', BLOCK, ['metadata', 'name'], 2, 1],
    ['the root for an empty path', BLOCK, [], 2, 1],
    ['the parent if a step is a key of a list', BLOCK, ['spec', 'list', 'name'], 5, 3],
    ['flow style', 'a: {b: 1, c: [x, {d: 2}]}\n', ['a', 'c', 1, 'd'], 1, 19],
    ['flow style on several lines', 'a: {\n  b: [\n    x, y\n  ]}\n', ['a', 'b', 1], 3, 8],
    ['JSON', '{\n  "a": {"b": [1, 2]}\n}\n', ['a', 'b', 1], 2, 18],
    ['JSON, a key', '{"a": {"b": 1}}', ['a', 'b'], 1, 8],
    ['CRLF', 'a: 1\r\nb:\r\n  c: 2\r\n', ['b', 'c'], 3, 3],
    ['a document marker', '\na: 1\n', ['a'], 2, 1],
    ['an alias', 'a: &x\n  b: 1\nc: *x\n', ['c', 'b'], 2, 3],
    ['an alias itself', 'a: &x\n  b: 1\nc: *x\n', ['c'], 3, 1],
    ['a missing key in an alias', 'a: &x\n  b: 1\nc: *x\n', ['c', 'd'], 3, 1],
    ['a merge key', 'a: &x\n  b: 1\nc:\n  <<: *x\n  d: 2\n', ['c', 'b'], 2, 3],
    ['a merge key after an own key', 'a: &x {b: 1}\nc: {b: 2, <<: *x}\n', ['c', 'b'], 1, 8],
    ['an own key after a merge key', 'a: &x {b: 1}\nc: {<<: *x, b: 2}\n', ['c', 'b'], 2, 13],
    ['the first of several merge sources', 'a: {<<: [{b: 1}, {b: 2}]}\n', ['a', 'b'], 1, 11],
    ['the last of equal keys', 'a:\n  b: 1\na:\n  b: 2\n', ['a', 'b'], 4, 3],
    ['a byte order mark on the line', '\ufeffa: 1\nb: 2\n', ['a'], 1, 1],
    ['a byte order mark on another line', '\ufeffa: 1\nb: 2\n', ['b'], 2, 1],
    ['UTF-16 units', '{😀: 1, b: 2}\n', ['b'], 1, 9],
    ['a key with an anchor', 'a:\n  &x b: 1\n', ['a', 'b'], 2, 6],
    ['the last line without a line end', 'a:\n- b: 1', ['a', 0, 'b'], 2, 3],
    ['a block scalar in a list', BLOCK, ['spec', 'list', 2], 9, 5],
    ['a folded block scalar with an indicator', 'a:\n- b\n-   >2-\n\n     c\n', ['a', 1], 3, 5],
    ['a block scalar after an anchor and a tag', 'a:\n  - &x !!str |- # c | d\n    e\n', ['a', 0], 2, 14],
    ['a block scalar in a list in a list', 'a:\n- - |\r\n    "b"\n', ['a', 0, 0], 2, 5],
    ['an empty block scalar', 'a:\n- |-\n- b\n', ['a', 0], 2, 3],
    ['an empty block scalar at the end', 'a:\n- |', ['a', 0], 2, 3],
    ['the item after an empty block scalar', 'a:\n- |-\n- b\n', ['a', 1], 3, 3],
  ])('%s', (_, text, path, line, column) => {
    expect(placeOf(text, path)).toEqual({ line, column });
  });

  it.each([
    ['an empty document', ''],
    ['comments alone', '# a\n'],
    ['invalid YAML', 'a: [\n'],
  ])('undefined for %s', (_, text) => {
    expect(placeOf(text, ['a'])).toBeUndefined();
  });
});

test.each<[FieldPath, string]>([
  [['spec', 'template', 'spec', 'containers', 0, 'image'], 'spec.template.spec.containers[0].image'],
  [['metadata', 'annotations', 'example.com/a'], 'metadata.annotations."example.com/a"'],
  [['a.b', 'c'], '"a.b".c'],
  [['a', 'b[0]', 1, 'c.d'], 'a."b[0]"[1]."c.d"'],
  [[0, 'a'], '[0].a'],
  [['a', ''], 'a.""'],
  [['a"b'], '"a\\"b"'],
  [[], ''],
])('formatPath: %j is written as %s', (path, text) => {
  expect(formatPath(path)).toBe(text);
});
