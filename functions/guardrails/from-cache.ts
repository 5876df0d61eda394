import { readFileSync, statSync } from 'node:fs';
import type Module from 'node:module';
import path from 'node:path';
import { Script } from 'node:vm';

// dist/guardrails.js: runs the bundle beside it on the code that V8 made of it at build time, which saves a third of the
// start. Without that code, with an older one or on another Node.js, the bundle is compiled.
const bundle = path.join(__dirname, 'guardrails.bundle.js');
const built = statSync(bundle, { throwIfNoEntry: false });
if (built === undefined) {
  process.stderr.write(`${bundle} is missing, of which this file is the start: npm run build makes both\n`);
  process.exit(2);
}
const cachedData = cachedCode(built.mtimeMs);
const script = new Script((module.constructor as typeof Module).wrap(readFileSync(bundle, 'utf8')), {
  filename: bundle,
  ...(cachedData === undefined ? {} : { cachedData }),
});
type Wrapped = (
  exports: object,
  require: NodeJS.Require,
  module: NodeJS.Module,
  file: string,
  dir: string,
) => void;
(script.runInThisContext() as Wrapped)(module.exports as object, require, module, bundle, __dirname);

/** @param since what is older is of another bundle */
function cachedCode(since: number): Buffer | undefined {
  const cache = path.join(__dirname, 'guardrails.bundle.cache');
  let twice: Buffer;
  try {
    if (statSync(cache).mtimeMs < since) return undefined;
    twice = readFileSync(cache);
  } catch {
    return undefined; // not there, or not to be read: the bundle does without
  }
  // V8 does not check that its code is whole: it is there twice, which compares faster than a hash is made.
  const [code, copy] = [twice.subarray(0, twice.length / 2), twice.subarray(twice.length / 2)];
  return code.equals(copy) ? code : undefined;
}
