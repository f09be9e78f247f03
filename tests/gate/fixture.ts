/**
 * Small source trees for the tests of the gate.
 * @module
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of this repository. */
export const repository = fileURLToPath(new URL('../..', import.meta.url));

/** A tree on disk; gone when its scope ends (`using`). */
export interface Fixture extends Disposable {
  readonly root: string;
  write(files: Readonly<Record<string, string>>): void;
  /** Makes the packages installed here available in it. */
  install(): void;
  /** Makes it a git repository with everything in it committed. */
  commit(): void;
}

/** Writes a tree; `package.json` is there unless given. */
export const plant = (files: Readonly<Record<string, string>>): Fixture => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'catalytic-gate-')));
  const write = (more: Readonly<Record<string, string>>): void => {
    for (const [path, text] of Object.entries(more)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  };
  write({ 'package.json': '{"type":"module"}', ...files });
  return {
    root,
    write,
    install: () => symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules')),
    commit: () => {
      const git = (...args: string[]) => {
        const { status, stderr } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
        if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
      };
      git('init', '--quiet');
      git('add', '.');
      git('-c', 'user.name=gate', '-c', 'user.email=gate@example.com', 'commit', '--quiet', '--message=fixture');
    },
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
};

/** How a script ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A script that runs. */
export interface Running {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** Waits until it has printed this; returns what matched. */
  seen(pattern: RegExp): Promise<string>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts a script of the repository under the Node that runs the tests. */
export const start = (script: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Running => {
  const child = spawn(process.execPath, [join(repository, script), ...args], {
    env: { PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const waiting = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
    for (const look of waiting) look();
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const ended = new Promise<Ended>((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
  const seen = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const [found] = pattern.exec(stdout) ?? [];
        if (found !== undefined) resolve(found);
      };
      waiting.add(look);
      look();
      void ended.then(() => reject(new Error(`It ended without printing ${pattern}:\n${stdout}${stderr}`)));
    });
  return { pid: child.pid ?? 0, ended, seen, kill: (signal) => void child.kill(signal) };
};

/** Runs a script of the repository to its end. */
export const run = (
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> => start(script, args, env).ended;
