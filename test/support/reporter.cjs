// Says after the run what was skipped, and ends with one line of counts. With GUARDRAILS_REQUIRE_TOOLS=1 a skip that
// allowed-skips.json does not name fails the run. An entry there is {test, reason} or {test, reason, when}:
//   test    a full name; * matches anything
//   reason  why the skip is allowed
//   when    a key of CONDITIONS: where it holds, the test may be skipped or not; elsewhere the skip is not allowed
const allowedSkips = require('./allowed-skips.json');

const CONDITIONS = { 'not root': () => process.getuid?.() !== 0 };
const SKIPPED = new Set(['pending', 'skipped', 'disabled', 'todo']);

class Reporter {
  constructor(globalConfig) {
    this.globalConfig = globalConfig;
    this.lines = [];
    this.isComplete = false;
    // jest puts its own summary after every other reporter: only at the exit is there nothing to come.
    process.once('exit', () => {
      this.print();
      if (this.isComplete) return;
      process.stderr.write('the run ended before its tests did\n');
      process.exitCode ||= 1; // it is 0 when a test called process.exit(0)
    });
  }

  onRunComplete(_contexts, results) {
    const tests = results.testResults.flatMap((suite) => suite.testResults);
    const skipped = tests.filter(({ status }) => SKIPPED.has(status)).map(({ fullName }) => fullName);
    const failed = results.numFailedTests + results.testResults.filter(brokeOutsideItsTests).length;
    // -t leaves out tests on purpose.
    if (!this.globalConfig.testNamePattern) {
      this.lines.push(...skipped.map((name) => `skipped: ${name}${reasonOf(name)}`));
      if (process.env.GUARDRAILS_REQUIRE_TOOLS === '1') this.judge(skipped);
    }
    this.lines.push(`${results.numPassedTests} passed, ${failed} failed, ${skipped.length} skipped`);
    this.isComplete = true;
    if (this.globalConfig.watch || this.globalConfig.watchAll) this.print();
  }

  judge(skipped) {
    const allowed = allowedSkips
      .filter(({ when }) => when === undefined || CONDITIONS[when]())
      .map(({ test, when }) => ({ test, when, pattern: patternOf(test) }));
    for (const { test, when, pattern } of allowed) {
      if (when === undefined && !skipped.some((name) => pattern.test(name))) {
        this.lines.push(`test/support/allowed-skips.json allows a skip that did not happen: ${test}`);
      }
    }
    const unexpected = skipped.filter((name) => !allowed.some(({ pattern }) => pattern.test(name)));
    if (unexpected.length === 0) return;
    const message = 'skipped, and not in test/support/allowed-skips.json (GUARDRAILS_REQUIRE_TOOLS=1):';
    this.error = new Error([message, ...unexpected].join('\n  '));
    this.lines.push(this.error.message);
  }

  /** What jest asks for to fail a run whose tests passed. */
  getLastError() {
    return this.error;
  }

  print() {
    const stream = this.globalConfig.json ? process.stderr : process.stdout;
    for (const line of this.lines.splice(0)) stream.write(`${line}\n`);
  }
}

/** A suite that crashed, or whose last hook did, has an error that none of its tests carries. */
function brokeOutsideItsTests(suite) {
  return suite.testExecError != null || (suite.failureMessage != null && suite.numFailingTests === 0);
}

function reasonOf(name) {
  const reason = allowedSkips.find(({ test }) => patternOf(test).test(name))?.reason;
  return reason === undefined ? '' : ` (${reason})`;
}

function patternOf(test) {
  const parts = test.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}

module.exports = Reporter;
