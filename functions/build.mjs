// Bundles the function and the command lines into dist/, and lists the packages whose code is in the function.
import { buildSync } from 'esbuild';
import fs from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const { metafile } = buildSync({
  absWorkingDir: root,
  entryPoints: {
    guardrails: 'functions/guardrails/main.ts',
    cli: 'functions/guardrails/cli/guardrails.ts',
  },
  bundle: true,
  external: ['@viz-js/viz'],
  platform: 'node',
  // The bundle names files by their paths: those of a linked node_modules must not be of its machine.
  preserveSymlinks: true,
  target: 'node20',
  outdir: 'dist',
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
});

const packages = packagesIn(metafile.outputs['dist/guardrails.js']);
fs.writeFileSync(inRoot('dist/guardrails.licenses.txt'), packages.map(licenseText).join('\n'));
fs.writeFileSync(inRoot('dist/guardrails.cdx.json'), `${JSON.stringify(sbom(packages), null, 2)}\n`);

function inRoot(file) {
  return path.join(root, file);
}

/** The packages of npm that a bundle holds code of. */
function packagesIn({ inputs }) {
  const names = Object.keys(inputs)
    .filter((input) => inputs[input].bytesInOutput > 0)
    .map((input) => /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(input)?.[1])
    .filter((name) => name !== undefined);
  return [...new Set(names)].sort().map((name) => {
    const folder = inRoot(`node_modules/${name}`);
    return { ...JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')), folder };
  });
}

function licenseText({ name, version, license, folder }) {
  const file = fs.readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) throw new Error(`${name} ${version} is bundled, and has no licence file`);
  const text = fs.readFileSync(path.join(folder, file), 'utf8').trim();
  return `${name} ${version} (${license})\n\n${text}\n`;
}

/** CycloneDX: the function, and the packages that are in it. */
function sbom(packages) {
  const { version } = JSON.parse(fs.readFileSync(inRoot('package.json'), 'utf8'));
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'application', name: 'guardrails', version } },
    components: packages.map(({ name, version, license }) => ({
      type: 'library',
      name,
      version,
      licenses: [{ license: { id: license } }],
      purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
    })),
  };
}
