#!/usr/bin/env node
// Starts the function or the tests from a fresh clone: installs and bundles what is missing first.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const DIST = path.join(ROOT, 'dist');
const BUNDLE = path.join(DIST, 'cli.js');
const LOCK = path.join(DIST, '.start-lock'); // holds the process id of the start that prepares
const OLDEST_NODE = [20, 19];
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const INTERNAL_ERROR = 2; // exit code

const commands = {
  ...Object.fromEntries(
    ['check', 'fix', 'build', 'render', 'graph', 'exemptions'].map((name) => [
      name,
      (args) => runCommand(name, args),
    ]),
  ),
  image: (args) => runScript('functions/image.mjs', args),
  update: (args) => runScript('test/update.mjs', args),
  async test(args) {
    await prepare([installation]);
    return run(...npm('run', '--silent', 'test:run', '--', ...args), { cwd: ROOT });
  },
};

/** Runs a command of `guardrails`. */
async function runCommand(name, args) {
  await prepare([installation, bundle]);
  // npm changes to the repository's root before it runs a script; a path is meant from the folder of the user.
  const { npm_lifecycle_event: script, INIT_CWD } = process.env;
  const env = script === name ? { ...process.env, GUARDRAILS_TYPED_IN: INIT_CWD } : process.env;
  return run(process.execPath, [BUNDLE, name, ...args], { env });
}

async function runScript(file, args) {
  await prepare([installation, bundle]);
  return run(process.execPath, [path.join(ROOT, file), ...args], { cwd: ROOT });
}

const installation = {
  progress: 'installing dependencies (npm ci) ...\n',
  /** npm lists the installed packages in node_modules/.package-lock.json, as its last step. */
  isCurrent() {
    const wanted = packagesOf(path.join(ROOT, 'package-lock.json'));
    const record = path.join(ROOT, 'node_modules', '.package-lock.json');
    const installed = fs.existsSync(record) ? packagesOf(record) : {};
    return Object.entries(wanted).every(([folder, { version, integrity, optional }]) => {
      const found = installed[folder];
      if (folder === '') return true;
      if (found === undefined) return optional === true; // a package for another system
      return found.version === version && found.integrity === integrity;
    });
  },
  // All are development dependencies, and an option of the surrounding `npm run` must not turn the step off.
  command: () =>
    npm(
      ...['ci', '--ignore-scripts', '--no-audit', '--no-fund'],
      ...['--include=dev', '--dry-run=false', '--loglevel=warn'],
    ),
};

const bundle = {
  progress: '',
  isCurrent() {
    const built = modified(BUNDLE);
    if (built === undefined || built < modified(path.join(ROOT, 'package-lock.json'))) return false;
    const sources = fs.readdirSync(path.join(ROOT, 'functions'), { recursive: true });
    return ['', ...sources].every((source) => modified(path.join(ROOT, 'functions', source)) <= built);
  },
  command: () => [process.execPath, [path.join(ROOT, 'functions', 'build.mjs')]],
};

/** Runs the steps that are not current, in one process at a time. */
async function prepare(steps) {
  const areCurrent = () => steps.every((step) => step.isCurrent());
  if (areCurrent()) return;
  await lock();
  try {
    for (const step of steps) {
      if (step.isCurrent()) continue;
      process.stderr.write(step.progress);
      await runQuietly(...step.command());
    }
  } finally {
    fs.rmSync(LOCK, { force: true });
  }
}

async function lock() {
  fs.mkdirSync(path.dirname(LOCK), { recursive: true });
  for (;;) {
    try {
      fs.writeFileSync(LOCK, String(process.pid), { flag: 'wx' });
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isAbandoned()) fs.rmSync(LOCK, { force: true });
    else await sleep(100);
  }
}

function isAbandoned() {
  try {
    const owner = Number(fs.readFileSync(LOCK, 'utf8'));
    if (owner > 0) process.kill(owner, 0);
    // Between its creation and its first byte the lock is empty.
    return owner === 0 && Date.now() - fs.statSync(LOCK).mtimeMs > 5000;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

function packagesOf(lockFile) {
  return JSON.parse(fs.readFileSync(lockFile, 'utf8')).packages;
}

function modified(file) {
  return fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs;
}

/** The program and arguments of npm: the one that started this process, else the one on PATH. */
function npm(...args) {
  const script = process.env.npm_execpath ?? '';
  // Under yarn and pnpm the variable names those.
  return /^npm-cli\.[cm]?js$/.test(path.basename(script))
    ? [process.execPath, [script, ...args]]
    : ['npm', args];
}

class Failure extends Error {
  constructor(message, exitCode = INTERNAL_ERROR) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Runs a step of the preparation; its output is shown only if it fails. */
async function runQuietly(command, args) {
  let output = '';
  const exitCode = await run(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] }, (text) => {
    output += text;
  });
  if (exitCode > 128) throw new Failure('interrupted', exitCode);
  if (exitCode !== 0) throw new Failure(`${output}${command} ${args.join(' ')} failed (exit ${exitCode})`);
}

/** Resolves to the exit code, 128 + n after signal n; signals are passed on to the child. */
function run(command, args, options, onOutput) {
  const child = spawn(command, args, { stdio: 'inherit', ...options });
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', onOutput);
  let interruption;
  const passOn = (signal) => {
    interruption = signal;
    child.kill(signal);
  };
  for (const signal of SIGNALS) process.on(signal, passOn);
  return new Promise((resolve, reject) => {
    child.on('error', (error) => {
      reject(error.code === 'ENOENT' ? new Failure(`cannot run ${command}: not found`) : error);
    });
    child.on('close', (code, signal) => {
      for (const passed of SIGNALS) process.off(passed, passOn);
      // npm answers a signal with exit code 1.
      const endedBy = code === 0 ? undefined : (interruption ?? signal);
      resolve(endedBy ? 128 + constants.signals[endedBy] : code);
    });
  });
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const isOld = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
  if (isOld)
    throw new Failure(
      `Node.js ${OLDEST_NODE.join('.')} or newer is required, found ${process.versions.node}`,
    );
}

async function start([name, ...args]) {
  checkNode();
  if (!Object.hasOwn(commands, name ?? '')) {
    throw new Failure(`usage: node functions/start.mjs ${Object.keys(commands).join('|')} [arguments]`);
  }
  return commands[name](args);
}

try {
  process.exitCode = await start(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.exitCode ?? INTERNAL_ERROR;
}
