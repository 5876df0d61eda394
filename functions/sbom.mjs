// Prints the SBOM of the image, in whose build it runs: the bundle's, and what else is in the root file system.
// usage: node sbom.mjs BUNDLE_SBOM OUTPUT_OF_GO_VERSION_M DEBIAN_PACKAGE...
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';

const [bundle, modules, ...packages] = process.argv.slice(2);
const sbom = JSON.parse(fs.readFileSync(bundle, 'utf8'));
const component = (type, name, version, kind) => ({
  type,
  name,
  version,
  purl: `pkg:${kind}/${name}@${encodeURIComponent(version)}`,
});

const [, go] = /: go(\S+)/.exec(fs.readFileSync(modules, 'utf8'));
const goModules = [...fs.readFileSync(modules, 'utf8').matchAll(/^\t(mod|dep)\t(\S+)\t(\S+)/gm)].map(
  ([, role, name, version]) => component(role === 'mod' ? 'application' : 'library', name, version, 'golang'),
);
const debian = execFileSync('dpkg-query', ['--show', '--showformat=${Package} ${Version}\n', ...packages])
  .toString()
  .trimEnd()
  .split('\n')
  .map((line) => component('library', ...line.split(' '), 'deb/debian'));

sbom.components.push(
  component('application', 'node', process.versions.node, 'generic'),
  component('library', 'stdlib', go, 'golang'),
  ...goModules,
  ...debian,
);
process.stdout.write(`${JSON.stringify(sbom, null, 2)}\n`);
