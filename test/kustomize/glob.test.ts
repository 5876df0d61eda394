import { matchesGlob } from '../../functions/guardrails/kustomize/glob';

test.each<[glob: string, path: string, matches: boolean]>([
  ['overlays/prod', 'overlays/prod', true],
  ['overlays/prod', 'overlays/prod/eu', false],
  ['overlays/*', 'overlays/prod', true],
  ['overlays/*', 'overlays/prod/eu', false],
  ['overlays/*', 'overlays', false],
  ['overlays/**', 'overlays/prod/eu', true],
  ['overlays/**', 'overlays', true],
  ['**', '.', true],
  ['**/prod', 'prod', true],
  ['**/prod', 'a/b/prod', true],
  ['**/prod', 'a/b/prod-eu', false],
  ['**/prod*/**/eu', 'a/prod-1/x/y/eu', true],
  ['**/**', 'a', true],
  ['apps/?/base', 'apps/a/base', true],
  ['apps/[ab]/base', 'apps/c/base', false],
  ['.', '.', true],
  ['*', 'a/b', false],
])('%s and %s: %s', (glob, path, matches) => {
  expect(matchesGlob(path, glob)).toBe(matches);
});

test.each([
  ['stars in one segment', `${'*a'.repeat(5000)}b`, 'a'.repeat(20_000)],
  ['many segments that match any', `${'**/a/'.repeat(500)}b`, 'a/'.repeat(2000)],
])('ends soon: %s', (_, glob, path) => {
  expect(matchesGlob(path, glob)).toBe(false);
});
