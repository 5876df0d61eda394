// node make-cache.cjs BUNDLE CACHE: runs a bundle on standard input, and keeps the code that V8 made of what it called.
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

const [bundle, cache] = process.argv.slice(2);
const script = new vm.Script(module.constructor.wrap(fs.readFileSync(bundle, 'utf8')), { filename: bundle });
process.on('exit', () => {
  const code = script.createCachedData();
  // Twice: from-cache.ts sees by that whether it is whole.
  fs.writeFileSync(`${cache}.part`, Buffer.concat([code, code]));
  fs.renameSync(`${cache}.part`, cache);
});
script.runInThisContext()(exports, require, module, bundle, path.dirname(bundle));
