// Says after the run what was skipped, and ends with one line of counts. With GUARDRAILS_REQUIRE_TOOLS=1 a skip that
// allowed-skips.json does not name ({test, reason}; test is a full name, * stands for anything) fails the run.
const allowedSkips = require('./allowed-skips.json');

const SKIPPED = new Set(['pending', 'skipped', 'disabled', 'todo']);

class Reporter {
  constructor(globalConfig, { allowed = allowedSkips } = {}) {
    this.globalConfig = globalConfig;
    this.allowed = allowed.map(({ test }) => ({ test, pattern: patternOf(test) }));
  }

  onRunComplete(_contexts, results) {
    const tests = results.testResults.flatMap((suite) => suite.testResults);
    const skipped = tests.filter(({ status }) => SKIPPED.has(status)).map(({ fullName }) => fullName);
    const failed = results.numFailedTests + results.testResults.filter(brokeOutsideItsTests).length;
    // -t leaves out tests on purpose.
    if (!this.globalConfig.testNamePattern) {
      for (const name of skipped) this.print(`skipped: ${name}`);
      if (process.env.GUARDRAILS_REQUIRE_TOOLS === '1') this.judge(skipped);
    }
    this.print(`${results.numPassedTests} passed, ${failed} failed, ${skipped.length} skipped`);
  }

  judge(skipped) {
    const unexpected = skipped.filter((name) => !this.allowed.some(({ pattern }) => pattern.test(name)));
    for (const { test, pattern } of this.allowed) {
      if (!skipped.some((name) => pattern.test(name))) {
        this.print(`test/support/allowed-skips.json allows a skip that did not happen: ${test}`);
      }
    }
    if (unexpected.length === 0) return;
    this.error = new Error(
      [
        'skipped, and not in test/support/allowed-skips.json (GUARDRAILS_REQUIRE_TOOLS=1):',
        ...unexpected,
      ].join('\n  '),
    );
    this.print(this.error.message);
  }

  getLastError() {
    return this.error;
  }

  print(line) {
    const stream = this.globalConfig.json ? process.stderr : process.stdout;
    stream.write(`${line}\n`);
  }
}

/** A suite that crashed, or whose last hook did, has an error that none of its tests carries. */
function brokeOutsideItsTests(suite) {
  return suite.testExecError != null || (suite.failureMessage != null && suite.numFailingTests === 0);
}

function patternOf(test) {
  const parts = test.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}

module.exports = Reporter;
