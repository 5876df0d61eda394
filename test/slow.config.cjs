// Configuration of `npm run test:slow`: what `npm test` leaves out to stay below five minutes, besides test:hostile: long
// comparisons with the libraries of Kubernetes, which need Go, and packages as a user changes them.
const { jest } = require('../package.json');

module.exports = {
  ...jest,
  rootDir: '..',
  testPathIgnorePatterns: [],
  testRegex: ['test/(rules/(pod-security|api-validation)|policies/as-a-user)\\.test\\.ts$'],
};
