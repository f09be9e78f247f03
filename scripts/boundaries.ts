/**
 * Import directions, declared dependencies, and a few habits that a reader relies on. `npm run ok -- boundaries` runs it.
 *
 * The rules are the tables of `boundary-rules.ts`: when a new direction is wanted, change a table there, where a reviewer sees it.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BoundaryRules, boundaryRules } from './boundary-rules.ts';
import { type Finding, report } from './findings.ts';
import { type Import, importsOf } from './imports.ts';
import { lex, type Token } from './lex.ts';
import { isTestFile, listFiles, type Tree } from './list-files.ts';

/** A source file with its imports; `target` is the imported file, where it is one of ours. */
interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly tokens: readonly Token[];
  readonly imports: readonly (Import & { readonly target: string | undefined })[];
}

interface Manifest {
  readonly name?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const builtins = new Set(builtinModules);
const isBuiltin = (specifier: string): boolean => specifier.startsWith('node:') || builtins.has(specifier);
const isRelative = (specifier: string): boolean => specifier.startsWith('.');
const packageOf = (path: string): string | undefined => /^packages\/([^/]+)\//.exec(path)?.[1];
const packageName = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

/** The file of an import, as a path from the root; undefined when it is not one of ours. */
const targetOf = (path: string, specifier: string): string | undefined => {
  if (isRelative(specifier)) return posix.normalize(posix.join(posix.dirname(path), specifier));
  const ours = /^@catalytic\/([^/]+)\/(.+)$/.exec(specifier);
  return ours === null ? undefined : `packages/${ours[1]}/src/${ours[2]}.ts`;
};

const readSource = (root: string, path: string): SourceFile => {
  const text = readFileSync(join(root, path), 'utf8');
  const imports = importsOf(text).map((found) => ({ ...found, target: targetOf(path, found.specifier) }));
  return { path, text, tokens: lex(text).filter(({ kind }) => kind !== 'comment'), imports };
};

/** Packages point one way, and only through their names. */
const packageDirections = ({ packages }: BoundaryRules, source: SourceFile): Finding[] => {
  const own = packageOf(source.path);
  if (own === undefined) return [];
  const may = packages[own];
  if (may === undefined)
    return [{ file: source.path, rule: 'package', message: `add ${own} to \`packages\` in scripts/boundary-rules.ts` }];
  return source.imports.flatMap(({ specifier, line, target }) => {
    if (target === undefined) return [];
    const other = packageOf(target);
    const place = { file: source.path, line, rule: 'package' };
    if (other === own) {
      if (isRelative(specifier)) return [];
      return [{ ...place, message: `${specifier} is this package: import it by its relative path` }];
    }
    if (other === undefined) {
      if (isTestFile(source.path) && target.startsWith('tests/')) return [];
      return [{ ...place, message: `${specifier} leaves packages/${own}: move what is shared into a package` }];
    }
    if (!may.includes(other))
      return [
        { ...place, message: `${own} must not import ${other} (it may import: ${may.join(', ') || 'none of ours'})` },
      ];
    if (isRelative(specifier))
      return [{ ...place, message: `${specifier} reaches into another package: import @catalytic/${other}/…` }];
    return [];
  });
};

/** Every bare import is declared where npm looks for it. */
const declaredDependencies = (root: string, manifests: Map<string, Manifest>, source: SourceFile): Finding[] => {
  let folder = posix.dirname(source.path);
  while (!manifests.has(folder) && folder !== '.') folder = posix.dirname(folder);
  const nearest = manifests.get(folder) ?? {};
  const { dependencies, optionalDependencies, peerDependencies, devDependencies } = nearest;
  const runtime = { ...dependencies, ...optionalDependencies, ...peerDependencies };
  const isTooling = folder === '.' || isTestFile(source.path);
  return source.imports.flatMap(({ specifier, line, kind }) => {
    if (isRelative(specifier) || kind === 'file' || specifier.startsWith('/')) return [];
    const place = { file: source.path, line, rule: 'dependency' };
    if (isBuiltin(specifier)) {
      if (specifier.startsWith('node:')) return [];
      return [{ ...place, message: `write node:${specifier}` }];
    }
    const name = packageName(specifier);
    if (Object.hasOwn(runtime, name)) return [];
    if (isTooling) {
      const isOurs = folder === '.' && [...manifests.values()].some((manifest) => manifest.name === name);
      if (isOurs || Object.hasOwn(devDependencies ?? {}, name)) return [];
    } else if (Object.hasOwn(devDependencies ?? {}, name))
      return [{ ...place, message: `${name} is only a development dependency: import it from *.test.ts files` }];
    const manifest = posix.join(folder, 'package.json');
    const group = isTooling ? 'devDependencies' : 'dependencies';
    const reason = existsSync(join(root, 'docs/decisions')) && !isTooling ? ', with a line in docs/decisions/' : '';
    return [{ ...place, message: `${name} is not declared: add it to ${group} in ${manifest}${reason}` }];
  });
};

const isExemptFromRooms = (path: string): boolean => isTestFile(path) && !path.endsWith('.contract.ts');

/** The table in which each package has its rooms. */
const roomTables = { server: 'rooms', lab: 'labRooms' } as const;

interface RoomPlace {
  readonly table: (typeof roomTables)[keyof typeof roomTables];
  readonly room: string;
}

/** A file's room: the first folder under `src`, or the file itself where the table names it; other files at the top are `top`. */
const roomOf = (rules: BoundaryRules, path: string): RoomPlace | undefined => {
  const [, name, inside] = /^packages\/(server|lab)\/src\/(.+)$/.exec(path) ?? [];
  if (name === undefined || inside === undefined) return undefined;
  const table = roomTables[name as keyof typeof roomTables];
  const [first = '', second] = inside.split('/');
  if (second !== undefined) return { table, room: first };
  const file = first.replace(/\.ts$/, '');
  return { table, room: Object.hasOwn(rules[table], file) ? file : 'top' };
};

const roomDirections = (rules: BoundaryRules, source: SourceFile): Finding[] => {
  const own = roomOf(rules, source.path);
  if (own === undefined || isExemptFromRooms(source.path)) return [];
  const { table, room } = own;
  const may = rules[table][room];
  if (may === undefined)
    return [{ file: source.path, rule: 'room', message: `add ${room} to \`${table}\` in scripts/boundary-rules.ts` }];
  return source.imports.flatMap(({ specifier, line, kind, target }) => {
    const place = target === undefined ? undefined : roomOf(rules, target);
    if (target === undefined || place?.table !== table || place.room === room) return [];
    const other = place.room;
    const isContract = target.endsWith('.contract.ts');
    if (!isContract && (may.any ?? []).includes(other)) return [];
    if (!isContract && may.files?.[other]?.test(target) === true) return [];
    if (!isContract && kind === 'type' && may.types?.[other]?.test(target) === true) return [];
    if (kind === 'file' && may.starts?.includes(other) === true) return [];
    const matching = (what: string, patterns: Readonly<Record<string, RegExp>> = {}): string[] =>
      Object.entries(patterns).map(([name, { source: pattern }]) => `${what} of ${name} matching ${pattern}`);
    const allowed = [...(may.any ?? []), ...matching('files', may.files), ...matching('types', may.types)];
    const message = isContract
      ? `${specifier} is a test suite: import it from *.test.ts files`
      : `${room} must not import ${other} (it may import: ${allowed.join(', ') || 'nothing'})`;
    return [{ file: source.path, line, rule: 'room', message }];
  });
};

/** The lab's table itself: from the lowest room up, without a room or a direction that nothing uses. */
const labRoomTable = (rules: BoundaryRules, sources: readonly SourceFile[]): Finding[] => {
  const { labRooms } = rules;
  const inLab = sources.filter(({ path }) => roomOf(rules, path)?.table === roomTables.lab && !isExemptFromRooms(path));
  // A tree without a lab has nothing to say about its rooms.
  if (inLab.length === 0) return [];
  const names = Object.keys(labRooms);
  const roomAt = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : roomOf(rules, path)?.room;
  const place = { file: 'scripts/boundary-rules.ts', rule: 'room table' };
  return names.flatMap((room, index) => {
    const sourcesOfRoom = inLab.filter(({ path }) => roomAt(path) === room);
    if (sourcesOfRoom.length === 0) return [{ ...place, message: `the lab has no room ${room}: take it out` }];
    const used = new Set(sourcesOfRoom.flatMap(({ imports }) => imports.map(({ target }) => roomAt(target))));
    return (labRooms[room]?.any ?? []).flatMap((other) => {
      if (!names.slice(0, index).includes(other))
        return [{ ...place, message: `${other} does not stand above ${room}: the lab's rooms point one way` }];
      return used.has(other) ? [] : [{ ...place, message: `${room} no longer imports ${other}: take it out` }];
    });
  });
};

/** Inside `features`: any feature may use the types of a port; the table decides about everything else. */
const featureDirections = ({ features }: BoundaryRules, source: SourceFile): Finding[] => {
  const featureOf = (path: string): string | undefined =>
    /^packages\/server\/src\/features\/([^/]+)\/[^/]+$/.exec(path)?.[1];
  const own = featureOf(source.path);
  if (own === undefined || isExemptFromRooms(source.path)) return [];
  return source.imports.flatMap(({ line, kind, target = '' }) => {
    const other = featureOf(target);
    if (other === undefined || other === own) return [];
    if (kind === 'type' && target.endsWith('/store.ts')) return [];
    if (features[own]?.includes(other) === true) return [];
    const message =
      `${own} must not import ${other}: use type-only imports of its store.ts, or allow it in \`features\` of ` +
      'scripts/boundary-rules.ts if that makes no circle';
    return [{ file: source.path, line, rule: 'feature', message }];
  });
};

/** Libraries and built-in modules with one home. */
const homes = (rules: BoundaryRules, source: SourceFile): Finding[] => {
  if (packageOf(source.path) === undefined || isTestFile(source.path)) return [];
  return source.imports.flatMap(({ specifier, line }) => {
    const home = rules.homes.find(({ name }) => name === packageName(specifier) || name === specifier);
    if (home === undefined || home.where.test(source.path)) return [];
    const message = `${home.name} belongs to ${home.place}: ${home.reason}`;
    return [{ file: source.path, line, rule: 'home', message }];
  });
};

/** Words that may stand only in one place of the packages, or nowhere. */
const words = (rules: BoundaryRules, source: SourceFile): Finding[] => {
  if (packageOf(source.path) === undefined || isTestFile(source.path)) return [];
  const { tokens, path } = source;
  return tokens.flatMap(({ kind, text, line }, index) => {
    if (kind !== 'word') return [];
    const next = (offset: number): string => tokens[index + offset]?.text ?? '';
    // `process.env` and `process['env']` alike.
    const member = next(1) === '.' || next(1) === '[' ? next(2) : '';
    return rules.words
      .filter((rule) => rule.object === text && (rule.member === undefined || rule.member === member) && member !== '')
      .filter((rule) => tokens[index - 1]?.text !== '.' && rule.where.test(path) && !rule.except.test(path))
      .map((rule) => ({ file: path, line, rule: 'word', message: `${text}.${member}: ${rule.instead}` }));
  });
};

/** Built-in modules without I/O, clock or randomness: `node:url` only turns texts into others. */
const pureBuiltins: readonly string[] = ['node:url'];

/** `rules.ts` only decides: it imports pure built-in modules, and of our own files only other pure ones as values. */
const pureRules = (source: SourceFile): Finding[] => {
  if (!/\/features\/[^/]+\/rules\.ts$/.test(source.path)) return [];
  return source.imports
    .filter(({ specifier, kind }) => kind !== 'type' && isBuiltin(specifier) && !pureBuiltins.includes(specifier))
    .map(({ specifier, line }) => ({
      file: source.path,
      line,
      rule: 'pure',
      message: `rules.ts is pure: pass in what ${specifier} would give`,
    }));
};

/** Import circles among our files; entries of other threads and processes are not followed. */
const circles = (sources: readonly SourceFile[]): Finding[] => {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const state = new Map<string, 'open' | 'done'>();
  const trail: string[] = [];
  const findings: Finding[] = [];
  const visit = (source: SourceFile): void => {
    state.set(source.path, 'open');
    trail.push(source.path);
    for (const { target, line, kind } of source.imports) {
      const next = kind === 'file' || target === undefined ? undefined : byPath.get(target);
      if (next === undefined) continue;
      if (state.get(next.path) === 'open') {
        const circle = [...trail.slice(trail.indexOf(next.path)), next.path].join(' → ');
        const message = `${circle}: move what both need into a file of its own`;
        findings.push({ file: source.path, line, rule: 'circle', message });
      } else if (!state.has(next.path)) visit(next);
    }
    trail.pop();
    state.set(source.path, 'done');
  };
  for (const source of sources) if (!state.has(source.path)) visit(source);
  return findings;
};

/** The feature table itself: it points one way, and has no entry that is not used. */
const featureTable = ({ features }: BoundaryRules, sources: readonly SourceFile[]): Finding[] => {
  const findings: Finding[] = [];
  const place = { file: 'scripts/boundary-rules.ts', rule: 'feature table' };
  const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
    (features[from] ?? []).some((next) => {
      if (next === to) return true;
      if (seen.has(next)) return false;
      seen.add(next);
      return reaches(next, to, seen);
    });
  for (const [own, others] of Object.entries(features)) {
    if (reaches(own, own)) findings.push({ ...place, message: `${own} leads back to itself: features point one way` });
    const folder = `packages/server/src/features/${own}/`;
    const files = sources.filter(({ path }) => path.startsWith(folder));
    if (files.length === 0) {
      // A tree without a server has no features to check.
      const isGone = sources.some(({ path }) => path.startsWith('packages/server/'));
      if (isGone) findings.push({ ...place, message: `there is no feature ${own}: take it out` });
      continue;
    }
    for (const other of others) {
      const target = `packages/server/src/features/${other}/`;
      const isUsed = files.some(({ imports }) => imports.some((found) => found.target?.startsWith(target) === true));
      if (!isUsed) findings.push({ ...place, message: `${own} no longer imports ${other}: take it out` });
    }
  }
  return findings;
};

/** Vague names, empty folders, files that are too long, and text that must not be shipped. */
const habits = (rules: BoundaryRules, root: string, tree: Tree, sources: readonly SourceFile[]): Finding[] => {
  const findings: Finding[] = tree.emptyFolders.map((folder) => ({
    file: folder,
    rule: 'empty',
    message: 'there is nothing in this folder: delete it',
  }));
  for (const file of tree.files) {
    const vague = file.split('/').find((part) => rules.vagueNames.test(part.replace(/\..*$/, '')));
    if (vague !== undefined)
      findings.push({ file, rule: 'name', message: `"${vague}" says nothing: name it after what it is about` });
    if (/^packages\/[^/]+\/package\.json$/.test(file)) {
      const folder = posix.dirname(file);
      if (!tree.files.some((other) => other.startsWith(`${folder}/src/`)))
        findings.push({ file: folder, rule: 'empty', message: 'this package has no source: write it or delete it' });
    }
  }
  for (const { path, text } of sources) {
    const lines = text.split('\n').length - 1;
    if (!isTestFile(path) && lines > rules.linesMax)
      findings.push({ file: path, rule: 'size', message: `${lines} lines: above ${rules.linesMax} it is two things` });
  }
  for (const file of tree.files.filter((name) => !/\.(png|ico|woff2|db|gz)$/.test(name))) {
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .forEach((line, index) => {
        for (const { pattern, instead } of rules.deniedText)
          if (pattern.test(line)) findings.push({ file, line: index + 1, rule: 'text', message: instead });
      });
  }
  return findings;
};

/** Sizes and suppressions, for the reader of the output; they fail nothing. */
const figures = (sources: readonly SourceFile[]): string => {
  const shipped = sources.filter(({ path }) => packageOf(path) !== undefined && !isTestFile(path));
  const lines = shipped.map(({ text }) => text.split('\n').length - 1).sort((a, b) => a - b);
  const quantile = (share: number): number => lines[Math.min(lines.length - 1, Math.floor(lines.length * share))] ?? 0;
  const count = (pattern: RegExp): number =>
    shipped.reduce((sum, { text }) => sum + (text.match(pattern)?.length ?? 0), 0);
  return (
    `${shipped.length} source files in packages: ${quantile(0.5)} lines in the median, ${quantile(0.9)} at p90, ` +
    `${lines.at(-1) ?? 0} at most; ${count(/biome-ignore|@ts-expect-error|@ts-ignore/g)} suppressions`
  );
};

/** The findings, and figures about the tree. */
export interface BoundaryReport {
  readonly findings: readonly Finding[];
  readonly figures: string;
}

/** Checks a source tree. */
export const checkBoundaries = (root: string, rules: BoundaryRules = boundaryRules): BoundaryReport => {
  const tree = listFiles(root);
  const sources = tree.files.filter((file) => file.endsWith('.ts')).map((file) => readSource(root, file));
  const manifests = new Map(
    tree.files
      .filter((file) => posix.basename(file) === 'package.json')
      .map((file) => [posix.dirname(file), JSON.parse(readFileSync(join(root, file), 'utf8')) as Manifest]),
  );
  const findings = [
    ...sources.flatMap((source) => [
      ...packageDirections(rules, source),
      ...declaredDependencies(root, manifests, source),
      ...roomDirections(rules, source),
      ...featureDirections(rules, source),
      ...homes(rules, source),
      ...words(rules, source),
      ...pureRules(source),
    ]),
    ...circles(sources),
    ...featureTable(rules, sources),
    ...labRoomTable(rules, sources),
    ...habits(rules, root, tree, sources),
  ];
  return { findings, figures: figures(sources) };
};

if (import.meta.main) {
  const root = process.argv[2] ?? dirname(dirname(fileURLToPath(import.meta.url)));
  const { findings, figures: summary } = checkBoundaries(root);
  report(findings, summary);
}
