// For `node --require`: makes functions throw, so that a test sees what the program does with an error that it did not
// foresee. GUARDRAILS_FAULT is JSON, one fault or a list of them:
//   module, name  what breaks: `fs` and `readSync`; `buffer` and `Buffer.concat`
//   argument      only calls whose first argument, as text, this regular expression finds; default: any
//   file          only calls whose first argument is the descriptor of a file whose path this regular expression finds
//   skip          this many such calls work before one breaks; default: 0
//   times         this many calls break; default: all of them
//   bytes         of writeSync: this many bytes are written before one breaks, as on a disk that fills
//   message       of the error
//   code          of the error: ENOSPC
//   run           instead of throwing, runs this shell command, and then works
//   signal        instead of throwing, sends itself this signal, and then works
const childProcess = require('node:child_process');
const fs = require('node:fs');

const { spawnSync } = childProcess;
const { openSync } = fs;
const paths = new Map();
fs.openSync = function noting(...args) {
  const fd = Reflect.apply(openSync, this, args);
  paths.set(fd, String(args[0]));
  return fd;
};

for (const fault of [JSON.parse(process.env.GUARDRAILS_FAULT)].flat()) inject(fault);

function inject(fault) {
  const names = fault.name.split('.');
  const name = names.pop();
  const holder = names.reduce((object, key) => object[key], require(fault.module));
  const working = holder[name];
  const affected = new RegExp(fault.argument ?? '');
  const affectedFile = fault.file === undefined ? undefined : new RegExp(fault.file);
  let skip = fault.skip ?? 0;
  let times = fault.times ?? Infinity;
  let bytes = fault.bytes ?? 0;

  holder[name] = function broken(...args) {
    const isMeant =
      affected.test(String(args[0])) && (affectedFile?.test(paths.get(args[0]) ?? '') ?? true) && skip-- <= 0;
    if (!isMeant) return Reflect.apply(working, this, args);
    if (bytes > 0) {
      const [fd, buffer, offset = 0] = args;
      const written = working(fd, buffer, offset, Math.min(bytes, buffer.length - offset));
      bytes -= written;
      return written;
    }
    if (times-- <= 0) return Reflect.apply(working, this, args);
    if (fault.run !== undefined) spawnSync('/bin/sh', ['-c', fault.run]);
    else if (fault.signal !== undefined) process.kill(process.pid, fault.signal);
    else throw Object.assign(new Error(fault.message), fault.code === undefined ? {} : { code: fault.code });
    return Reflect.apply(working, this, args);
  };
}
