/**
 * Holds the documentation to the code. `npm run ok -- docs` runs it; with `--write` it first writes the generated pages anew.
 *
 * - every relative link in a Markdown file leads to a file, and to a heading of it
 * - every `npm run NAME` in the documentation and in the texts of the code is a script of package.json
 * - the generated pages of `docs/reference/` and `docs/operating/metrics.md` say what the tables in the code say
 * - `docs/reference/api.md` names every path of the service, and no other
 * - every package, and every package that asks for it, has the version at the top of CHANGELOG.md
 * - a shell block of the README or a guide that no test runs says why, with a reason from a short list
 * - every source file that ARCHITECTURE.md, CONTRIBUTING.md or SECURITY.md names is there
 * - every error code after its status, and every metric, is in the page that lists them
 * - ARCHITECTURE.md counts the files between the socket and the database, and each of them imports the next
 * - every export of a package has a docstring
 * @module
 */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { undocumentedExports } from './docstrings.ts';
import { type Finding, report } from './findings.ts';
import { checkImportChains } from './import-chains.ts';
import { isTestFile, listFiles } from './list-files.ts';
import { anchorsOf, linksOf } from './markdown.ts';
import { referencePages } from './reference-pages.ts';
import { checkShellRemarks, isRunDocument } from './shell-blocks.ts';

const checkLinks = (root: string, file: string, text: string): Finding[] =>
  linksOf(text).flatMap(({ target, line }) => {
    if (/^[a-z][a-z0-9+.-]*:/i.test(target) || target.startsWith('//')) return [];
    const place = { file, line, rule: 'link' };
    const [path = '', anchor = ''] = target.split('#', 2).map(decodeURIComponent);
    const aim = path === '' ? file : posix.normalize(posix.join(posix.dirname(file), path));
    if (path.startsWith('/') || aim.startsWith('..') || !existsSync(join(root, aim)))
      return [{ ...place, message: `${target} leads nowhere: correct the path` }];
    if (anchor === '' || statSync(join(root, aim)).isDirectory() || !aim.endsWith('.md')) return [];
    if (anchorsOf(readFileSync(join(root, aim), 'utf8')).has(anchor)) return [];
    return [{ ...place, message: `${aim} has no heading #${anchor}: correct the anchor` }];
  });

const checkScripts = (scripts: readonly string[], file: string, text: string): Finding[] =>
  text.split('\n').flatMap((content, index) =>
    // Not `npm run` with a placeholder such as NAME, and not a look at another package's scripts.
    [...content.matchAll(/\bnpm run (?:--?[a-z-]+ )*([a-z][\w:-]*)/g)].flatMap(([, name = '']) =>
      scripts.includes(name)
        ? []
        : [{ file, line: index + 1, rule: 'script', message: `package.json has no script "${name}"` }],
    ),
  );

/** Column widths of tables are the formatter's business. */
const normalised = (markdown: string): string => markdown.replace(/-{3,}/g, '---').replace(/[ \t]+/g, ' ');

const checkReference = async (root: string, write: boolean): Promise<Finding[]> => {
  const findings: Finding[] = [];
  for (const { path, source, content } of await referencePages(root)) {
    const file = join(root, path);
    const old = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
    if (old !== undefined && normalised(old) === normalised(content)) continue;
    if (write) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
      console.log(`wrote ${path}`);
    } else {
      const state = old === undefined ? 'is missing' : `differs from ${source}`;
      findings.push({ file: path, rule: 'reference', message: `it ${state}: run "npm run ok -- docs --write"` });
    }
  }
  return findings;
};

const isTourOfSources = (file: string): boolean => /^(ARCHITECTURE|CONTRIBUTING|SECURITY)\.md$/.test(file);

/** Sources are named by the end of their path, and without the `src/` of their package. */
const checkSourceNames = (files: readonly string[], file: string, text: string): Finding[] => {
  const known = files.map((path) => `/${path.replace('/src/', '/')}`);
  return text.split('\n').flatMap((line, index) =>
    [...line.matchAll(/`([\w./-]+\.(?:ts|mjs))`/g)]
      .map(([, name = '']) => name)
      .filter((name) => !known.some((path) => path.endsWith(`/${name.replace('/src/', '/')}`)))
      .map((name) => ({ file, line: index + 1, rule: 'source', message: `there is no ${name}` })),
  );
};

/** Names that a generated page lists, and how documents mention them. */
const listedNames = [
  { page: 'docs/reference/errors.md', mention: /\b[45]\d\d `([a-z]+_[a-z_]+)`/g, what: 'error code' },
  { page: 'docs/operating/metrics.md', mention: /`(catalytic_[a-z_]+)(?:\{[^`]*\})?`/g, what: 'metric' },
] as const;

/** Reports and decisions tell of their day: names in them may be gone. */
const isOfItsDay = (file: string): boolean => /^docs\/(reports|decisions)\//.test(file);

const checkNames = (root: string, file: string, text: string): Finding[] =>
  isOfItsDay(file)
    ? []
    : listedNames.flatMap(({ page, mention, what }) => {
        const path = join(root, page);
        const listed = existsSync(path) ? readFileSync(path, 'utf8') : '';
        return text.split('\n').flatMap((line, index) =>
          [...line.matchAll(mention)]
            .filter(([, name = '']) => !listed.includes(`\`${name}\``))
            .map(([, name = '']) => ({
              file,
              line: index + 1,
              rule: 'name',
              message: `${page} has no ${what} ${name}`,
            })),
        );
      });

const pathsFile = 'packages/protocol/src/paths.ts';
const apiPage = 'docs/reference/api.md';

/** The page of the routes is written by hand, so that it can be read in the order of a reader's needs. */
const checkApiPage = (root: string): Finding[] => {
  if (!existsSync(join(root, pathsFile))) return [];
  if (!existsSync(join(root, apiPage))) return [{ file: apiPage, rule: 'route', message: 'it is missing' }];
  const known = new Set(
    [...readFileSync(join(root, pathsFile), 'utf8').matchAll(/: '(\/[^']*)'/g)].map(([, path = '']) => path),
  );
  const named = new Set(
    [...readFileSync(join(root, apiPage), 'utf8').matchAll(/`(?:GET|POST|DELETE) (\/[^`]*)`/g)].map(
      ([, path = '']) => path,
    ),
  );
  return [
    ...[...known.difference(named)].map((path) => ({ file: apiPage, rule: 'route', message: `${path} is missing` })),
    ...[...named.difference(known)].map((path) => ({
      file: apiPage,
      rule: 'route',
      message: `${path} is not in ${pathsFile}: there is no such route`,
    })),
  ];
};

interface PackageManifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** The newest version in CHANGELOG.md is the one source; packages are released together. */
const checkVersions = (root: string, files: readonly string[]): Finding[] => {
  const changes = join(root, 'CHANGELOG.md');
  if (!existsSync(changes)) return [];
  const version = /^## \[(\d[^\]]*)\]/m.exec(readFileSync(changes, 'utf8'))?.[1] ?? 'none';
  const manifests = files
    .filter((file) => /^packages\/[^/]+\/package\.json$/.test(file))
    .map((file) => [file, JSON.parse(readFileSync(join(root, file), 'utf8')) as PackageManifest] as const);
  const names = new Set(manifests.map(([, { name }]) => name));
  return manifests.flatMap(([file, { name, version: own, dependencies = {} }]) =>
    [[name, own] as const, ...Object.entries(dependencies).filter(([needed]) => names.has(needed))]
      .filter(([, found]) => found !== version)
      .map(([of, found]) => ({
        file,
        rule: 'version',
        message: `${of} is ${found}, the newest version in CHANGELOG.md is ${version}: make them equal`,
      })),
  );
};

/** Checks the documentation of a tree; `write` brings the generated pages up to date first. */
export const checkDocs = async (root: string, write = false): Promise<readonly Finding[]> => {
  const findings = await checkReference(root, write);
  const { files } = listFiles(root);
  findings.push(...checkApiPage(root), ...checkVersions(root, files), ...checkImportChains(root));
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts?: Record<string, string> };
  const scripts = Object.keys(manifest.scripts ?? {});
  for (const file of files) {
    const isMarkdown = file.endsWith('.md');
    const isSource = /^packages\/[^/]+\/src\/.*\.ts$/.test(file) && !isTestFile(file);
    if (!isMarkdown && !isSource) continue;
    const text = readFileSync(join(root, file), 'utf8');
    findings.push(...checkScripts(scripts, file, text));
    if (isMarkdown) findings.push(...checkLinks(root, file, text), ...checkNames(root, file, text));
    if (isTourOfSources(file)) findings.push(...checkSourceNames(files, file, text));
    if (isRunDocument(file)) findings.push(...checkShellRemarks(file, text));
    if (!isSource) continue;
    for (const { name, line } of undocumentedExports(text)) {
      const message = `${name} is exported without a docstring: say what it is for, its units and its errors`;
      findings.push({ file, line, rule: 'docstring', message });
    }
  }
  return findings;
};

if (import.meta.main) {
  const words = process.argv.slice(2);
  const root = words.find((word) => !word.startsWith('-')) ?? dirname(dirname(fileURLToPath(import.meta.url)));
  const write = words.includes('--write');
  report(await checkDocs(root, write), 'the documentation agrees with the code');
}
