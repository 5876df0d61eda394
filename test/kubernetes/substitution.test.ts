import {
  substitute,
  unknownVariables,
  variablesOf,
} from '../../functions/guardrails/kubernetes/substitution';
import { type YamlObject, type YamlValue, parseYaml, valueOf } from '../../functions/guardrails/yaml/yaml';

function read(text: string): YamlObject {
  return valueOf(parseYaml(text, '')[0] ?? null) as YamlObject;
}

const VARIABLES = new Map([
  ['ENV', 'prod'],
  ['REPLICAS', '3'],
  ['_x1', 'under'],
  ['EMPTY', ''],
  ['YES', 'yes'],
  ['LINES', 'a\nb\n'],
  ['quote', '"'],
  ['LIMITS', '{cpu: 100m}'],
  ['PAIR', 'a: b'],
]);

// The expected values are those of github.com/fluxcd/pkg/envsubst 1.4.0 and sigs.k8s.io/yaml 1.6.0.
describe('a string', () => {
  test.each<[text: string, expected: YamlValue]>([
    // Variables
    ['${ENV}', 'prod'],
    ['web-${ENV}.${_x1}', 'web-prod.under'],
    ['${ENV:=dev}', 'prod'],
    ['${NONE:=dev}', 'dev'],
    ['${NONE:-dev}', 'dev'],
    ['${NONE=dev}', 'dev'],
    ['${NONE:?dev}', 'dev'],
    ['${NONE:-a b/c}', 'a b/c'],
    ['x${EMPTY}y', 'xy'],
    ['${EMPTY:=dev}', 'dev'],
    ['x${NONE:=}y', 'xy'],
    ['${NONE:=${ENV}}', 'prod'],
    ['${NONE:=a-${NO:-b-${ENV}}-c}', 'a-b-prod-c'],
    ['${ENV:=${NONE}}', 'prod'],
    ['x${NONE:-{a}}', 'x{a}'],
    ['x ${LINES}', 'x ab'],
    // Read as YAML again
    ['${REPLICAS}', 3],
    ['${NONE:=5}', 5],
    ['${REPLICAS}${REPLICAS}', 33],
    ['1${REPLICAS}', 13],
    ['${REPLICAS}m', '3m'],
    ['${YES}', true],
    ['${EMPTY}', null],
    ['${NONE:=0644}', 420],
    ['${quote}${REPLICAS}${quote}', '3'],
    ["${NONE:='3'}", '3'],
    ['${LIMITS}', { cpu: '100m' }],
    ['${NONE:-{"a":1}}', { a: 1 }],
    // kustomize puts these in quotes, or in a block
    [' ${REPLICAS}', ' 3'],
    ['${REPLICAS}\n', '3\n'],
    ['a\n${REPLICAS}\n', 'a\n3\n'],
    ['\t${REPLICAS}', '\t3'],
    ['"${REPLICAS}"', '"3"'],
    ['[${REPLICAS}]', '[3]'],
    // Not valid YAML after a key: Flux refuses the build
    ['${PAIR}', 'a: b'],
    // Escapes
    ['$${ENV}', '${ENV}'],
    ['$$${ENV}', '$prod'],
    ['$$$${ENV}', '$${ENV}'],
    ['kill $$', 'kill $'],
    ['$${ENV} ${ENV}', '${ENV} prod'],
    ['${NONE:=$${ENV}}', '$prod'],
    // Unknown variables, and what is not a variable
    ['${NONE}', '${NONE}'],
    ['${NONE} ${ENV}', '${NONE} prod'],
    ['${NONE:=${NO}}', '${NO}'],
    ['$ENV', '$ENV'],
    ['$(ENV)', '$(ENV)'],
    ['{ENV}', '{ENV}'],
    ['100 $', '100 $'],
    ['${ENV', '${ENV'],
    ['${ENV ${ENV}', '${ENV prod'],
    ['${NONE:=a ${ENV}', '${NONE:=a prod'],
    ['${NO:=${NONE:=a ${ENV}', '${NO:=${NONE:=a prod'],
    ['${}', '${}'],
    ['${1}', '${1}'],
    ['${a.b}', '${a.b}'],
    ['${a-b}', '${a-b}'],
    ['${ENV }', '${ENV }'],
    ['${É}', '${É}'],
    ['${env}', '${env}'],
    ['${@}', '${@}'],
    ['{{ .ENV }}', '{{ .ENV }}'],
    // Functions
    ['${ENV^^}', '${ENV^^}'],
    ['${#ENV}', '${#ENV}'],
    ['${ENV%%.*}', '${ENV%%.*}'],
    ['${ENV/p/${ENV}}', '${ENV/p/prod}'],
    ['${NONE:=${ENV:0:2}}x', '${ENV:0:2}x'],
    ['no variable', 'no variable'],
    ['', ''],
  ])('%j becomes %j', (text, expected) => {
    expect(substitute({ key: text }, VARIABLES)).toEqual({ key: expected });
  });
});

describe('a resource', () => {
  test('deep, in lists and keys', () => {
    const deployment = read(`
kind: Deployment
metadata: {name: "web-\${ENV}", labels: {"\${ENV}-a": "\${ENV}", "\${REPLICAS}": x}}
spec:
  replicas: \${REPLICAS}
  template: {spec: {containers: [{args: ["\${ENV}", "\${REPLICAS}", "\${PAIR}", 1, true, null]}]}}
`);
    expect(substitute(deployment, VARIABLES)).toEqual(
      read(`
kind: Deployment
metadata: {name: web-prod, labels: {prod-a: prod, "3": x}}
spec:
  replicas: 3
  template: {spec: {containers: [{args: [prod, 3, {a: b}, 1, true, null]}]}}
`),
    );
  });

  test('a key of any name', () => {
    const value = read('{__proto__: "${ENV}", constructor: "${ENV}"}');
    expect(JSON.stringify(substitute(value, VARIABLES))).toBe('{"__proto__":"prod","constructor":"prod"}');
  });

  test.each(['labels', 'annotations'])('is not substituted if %s disable it', (field) => {
    const marked = (value: string) => ({
      metadata: { [field]: { 'kustomize.toolkit.fluxcd.io/substitute': value } },
      data: { a: '${ENV} $${ENV}' },
    });
    expect(substitute(marked('disabled'), VARIABLES)).toEqual(marked('disabled'));
    expect(substitute(marked('enabled'), VARIABLES)).toMatchObject({ data: { a: 'prod ${ENV}' } });
    expect(unknownVariables(marked('disabled'))).toEqual([]);
    expect(unknownVariables(marked('enabled'))).toEqual(['ENV']);
  });

  test('is not substituted without any variable, as in Flux', () => {
    const value = { a: '${ENV:=dev}', b: '$${ENV}' };
    expect(substitute(value, new Map())).toEqual(value);
  });

  test('is not changed itself', () => {
    const value = { a: ['${ENV}'] };
    expect(substitute(value, VARIABLES)).toEqual({ a: ['prod'] });
    expect(value).toEqual({ a: ['${ENV}'] });
  });
});

describe('unknown variables', () => {
  test.each<[value: YamlValue, names: string[]]>([
    ['${A} ${B} ${A}', ['A', 'B']],
    [{ a: ['${A}'], '${B}': { c: '${C}' } }, ['A', 'B', 'C']],
    ['${A:=a} ${B:-b} ${C=c} ${D:=}', []],
    ['${A:=${B}}', ['B']],
    ['$${A} $A $(A) ${A {A}', []],
    ['$$${A}', ['A']],
    ['${ENV} ${REPLICAS} ${A}', ['A']],
    ['${A^^} ${#B} ${ENV/a/b} ${C:0:1}', ['A', 'B', 'ENV', 'C']],
    [5, []],
    [null, []],
    [true, []],
  ])('of %j: %j', (value, names) => {
    expect(unknownVariables(value, VARIABLES)).toEqual(names);
  });

  test('without variables, all that have no default', () => {
    expect(unknownVariables('${ENV} ${REPLICAS:=3}')).toEqual(['ENV']);
  });
});

describe('the variables of a document', () => {
  test.each<[what: string, document: string, variables: Record<string, string>]>([
    [
      'a flat mapping',
      '{ENV: prod, REPLICAS: 3, FLAG: true, _a: ""}',
      { ENV: 'prod', REPLICAS: '3', FLAG: 'true', _a: '' },
    ],
    ['other values and names', '{A: null, B: [x], C: {d: e}, 1a: x, a-b: x, é: x, D: ok}', { D: 'ok' }],
    [
      'a ConfigMap',
      'kind: ConfigMap\nmetadata: {name: a}\ndata: {ENV: prod, a.yaml: x}\nbinaryData: {B: YQ==}',
      { ENV: 'prod' },
    ],
    ['a ConfigMap without data', 'kind: ConfigMap', {}],
    [
      'a Secret',
      'kind: Secret\ndata: {A: cHJvZA==, B: w6kK, C: YQ==}\nstringData: {C: c, D: d}',
      { A: 'prod', B: 'é\n', C: 'c', D: 'd' },
    ],
    ['numbers', '{A: 1.10, B: "1.10"}', { A: '1.1', B: '1.10' }],
  ])('%s', (_, document, variables) => {
    expect(Object.fromEntries(variablesOf(read(document)))).toEqual(variables);
  });
});

describe('takes linear time', () => {
  const N = 100_000;
  test.each<[what: string, text: string]>([
    ['openings', '${'.repeat(N)],
    ['defaults without an end', '${A:='.repeat(N)],
    ['nested defaults', '${A:='.repeat(N) + 'x'.repeat(N) + '}'.repeat(N)],
    ['a long name', '${' + 'a'.repeat(10 * N)],
    ['names without an end', '${aaaaaaaaa'.repeat(N)],
    ['escapes', '$'.repeat(10 * N)],
    ['functions', '${ENV/'.repeat(N) + '}'.repeat(N)],
    ['variables', '${ENV}'.repeat(N)],
    ['braces', '}'.repeat(10 * N)],
  ])('%s', (_, text) => {
    const start = performance.now();
    substitute({ key: text, block: `${text}\n` }, VARIABLES);
    unknownVariables(text, VARIABLES);
    expect(performance.now() - start).toBeLessThan(10_000); // about 1 s; a quadratic algorithm takes minutes
  });
});
