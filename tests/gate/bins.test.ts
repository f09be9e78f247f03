/**
 * The programs that `npx --no` starts by their names, also from a Node that is not the pinned one.
 * @module
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, linkSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { repository } from './fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'catalytic-bins-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** The folders of their packages, and how they end when they are called wrongly. */
const programs = {
  catalytic: { folder: 'server', wrongly: 2 },
  'catalytic-lab': { folder: 'lab', wrongly: 1 },
  'catalytic-guard': { folder: 'guard', wrongly: 2 },
} as const;
type Name = keyof typeof programs;
const bins = Object.keys(programs) as readonly Name[];
const manifestOf = (name: Name) =>
  JSON.parse(readFileSync(join(repository, 'packages', programs[name].folder, 'package.json'), 'utf8')) as {
    readonly version: string;
    readonly bin: Readonly<Record<string, string>>;
  };

/** The same program at another path, which is how the pinned Node is told from any other. */
const otherNode = (): string => {
  const path = join(folder, 'node');
  if (existsSync(path)) return path;
  try {
    linkSync(process.execPath, path);
  } catch {
    copyFileSync(process.execPath, path);
  }
  return path;
};

test('each is a bin of its package, and says its version through npx', () => {
  for (const name of bins) {
    const { version } = manifestOf(name);
    const said = execFileSync('npx', ['--no', name, '--', '--version'], { cwd: repository, encoding: 'utf8' });
    assert.ok(said.startsWith(version), `${name}: ${said}`);
  }
});

test('another Node hands over to the pinned one: arguments go in, the exit code comes out', () => {
  for (const name of bins) {
    const { version, bin } = manifestOf(name);
    const program = join(repository, 'packages', programs[name].folder, bin[name] ?? '');
    const run = (words: readonly string[]) => spawnSync(otherNode(), [program, ...words], { encoding: 'utf8' });
    assert.ok(run(['--version']).stdout.startsWith(version), name);
    const { status, stderr } = run(['--no-such-option']);
    assert.equal(status, programs[name].wrongly, name);
    assert.match(stderr, /unknown option '--no-such-option'/i, name);
  }
});
