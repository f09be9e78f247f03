/**
 * Makes the packages that strangers install: JavaScript with declarations, a README, a licence, and nothing else. `npm run pack` writes them
 * to `dist/`.
 * @module
 */

import { execFileSync } from 'node:child_process';
import { copyFileSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const help = `The packages that strangers install, as tarballs.

  npm run pack                     dist/catalytic-guard-VERSION.tgz
  npm run pack -- --to FOLDER      into another folder

Install one with "npm install FILE.tgz".
`;

const root = dirname(dirname(fileURLToPath(import.meta.url)));

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
}

/** A package, the modules that its users import, by the names of its `exports`, and its commands. */
const packages = [
  {
    folder: 'guard',
    description: 'Refuses an access token of Catalytic the moment its owner has signed out',
    entries: { '.': 'guard.ts', './testing': 'testing/test-issuer.ts' },
    commands: { 'catalytic-guard': 'sidecar/main.ts' },
  },
] as const;

/** Compiles the entries of a package and all that they import; modules of other packages of the repository become part of it. */
const compile = (folder: string, entries: readonly string[], out: string): void => {
  const project = join(out, 'tsconfig.json');
  writeFileSync(
    project,
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: {
        ...{ noEmit: false, declaration: true, rewriteRelativeImportExtensions: true, removeComments: false },
        // What the oldest supported Node knows.
        ...{
          target: 'es2022',
          rootDir: join(root, 'packages'),
          outDir: join(out, 'dist'),
          typeRoots: [join(root, 'node_modules/@types')],
        },
        // As sources, else they would be left out like any installed package.
        paths: { '@catalytic/protocol/*': [join(root, 'packages/protocol/src/*.ts')] },
      },
      include: [],
      files: entries.map((entry) => join(root, 'packages', folder, 'src', entry)),
    }),
  );
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['--project', project], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  rmSync(project);
};

/** Lets the modules find each other by their places: `@catalytic/protocol/errors` is not to be had in a registry. */
const linkModules = (dist: string): void => {
  for (const name of globSync('**/*.{js,d.ts}', { cwd: dist })) {
    const file = join(dist, name);
    const text = readFileSync(file, 'utf8');
    const linked = text
      .replaceAll(/(["'])@catalytic\/(\w+)\/([\w-]+)\1/g, (_, quote: string, of: string, module: string) => {
        const path = relative(dirname(file), join(dist, of, 'src', `${module}.js`));
        return `${quote}${path.startsWith('.') ? path : `./${path}`}${quote}`;
      })
      // Declarations keep the extensions of their sources.
      .replaceAll(/(from |import\()(["'])(\.[^"']*)\.ts\2/g, '$1$2$3.js$2');
    if (linked !== text) writeFileSync(file, linked);
  }
};

const pack = ({ folder, description, entries, commands }: (typeof packages)[number], to: string): string => {
  const source = join(root, 'packages', folder);
  const { name, version, license } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as Manifest;
  const out = mkdtempSync(join(tmpdir(), 'catalytic-pack-'));
  try {
    compile(folder, [...Object.values(entries), ...Object.values(commands)], out);
    linkModules(join(out, 'dist'));
    const compiled = (source: string): string => `./dist/${folder}/src/${source.replace(/\.ts$/, '')}`;
    const exports = Object.entries(entries).map(([key, entry]) => {
      const module = compiled(entry);
      return [key, { types: `${module}.d.ts`, default: `${module}.js` }];
    });
    const bin = Object.entries(commands).map(([name, source]) => [name, `${compiled(source)}.js`]);
    const manifest = {
      ...{ name, version, description, license, type: 'module', sideEffects: false },
      bin: Object.fromEntries(bin),
      exports: Object.fromEntries(exports),
      files: ['dist'],
      engines: { node: '>=20' },
    };
    writeFileSync(join(out, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    copyFileSync(join(source, 'README.md'), join(out, 'README.md'));
    copyFileSync(join(root, 'LICENSE'), join(out, 'LICENSE'));
    mkdirSync(to, { recursive: true });
    const said = execFileSync('npm', ['pack', '--silent', '--pack-destination', to], { cwd: out, encoding: 'utf8' });
    return join(to, said.trim());
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
};

const { values } = parseArgs({
  options: { help: { type: 'boolean', short: 'h' }, to: { type: 'string', default: join(root, 'dist') } },
});
if (values.help) process.stdout.write(help);
else for (const each of packages) process.stdout.write(`${pack(each, resolve(values.to))}\n`);
