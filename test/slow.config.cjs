// Configuration of `npm run test:slow`: what `npm test` leaves out to stay below five minutes, besides test:hostile: long
// comparisons with the libraries of Kubernetes, which need Go, packages as a user changes them, and many small packages.
const { jest } = require('../package.json');

module.exports = {
  ...jest,
  rootDir: '..',
  testPathIgnorePatterns: [],
  testRegex: [
    'test/(changes|krm/list-forms|kustomize/(dead-mutations|overlays)|network/(seeded-)?mutations|rules/(pod-security|seeded-defects|api-(schema-decoder|validation))|policies/(annotation-domain|as-a-user|generator-files|one-policy-a-workload|placement))\\.test\\.ts$',
  ],
};
