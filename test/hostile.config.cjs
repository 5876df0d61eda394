// Configuration of `npm run test:hostile`: packages that attack the function. `npm test` leaves out all but gate.
const { jest } = require('../package.json');

module.exports = {
  ...jest,
  rootDir: '..',
  roots: ['<rootDir>/test/hostile'],
  testPathIgnorePatterns: [],
};
