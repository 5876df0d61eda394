// Configuration of `npm run test:unit`, for daily work: the tests that start no other process than kustomize and take
// less than about 2 s each. `npm test` runs all of them.
const { jest } = require('../package.json');

const SLOW = [
  'changes',
  'cli/exemptions',
  'cli/graph',
  'cli/krmignore',
  'cli/render',
  'cli/write-files',
  'container',
  'failures',
  'hostile/.*',
  'kpt',
  'krm/list-forms',
  'kubernetes/image-reference',
  'kubernetes/quantity',
  'kustomize/find-kustomize',
  'kustomize/source-finder',
  'network/cyclonus',
  'network/mutations',
  'policies/annotation-domain',
  'policies/as-a-user',
  'policies/generator-files',
  'policies/one-policy-a-workload',
  'policies/placement',
  'rules/api-validation',
  'rules/exemptions-file',
  'rules/harden',
  'rules/pod-security',
  'same-bytes',
  'start',
  'supply-chain',
  'update',
  'yaml/edit',
];

module.exports = {
  ...jest,
  rootDir: '..',
  testPathIgnorePatterns: SLOW.map((name) => `<rootDir>/test/${name}\\.test\\.ts$`),
};
