/**
 * The README and the guides, as a reader meets them: each shell block is pasted into a shell, one after the other, in a fresh clone beside one
 * running service. `scripts/shell-blocks.ts` says how a document marks what a test cannot run.
 * @module
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cleanEnvironment, type RunningCommand, startCommand } from '../../scripts/run-command.ts';
import { type ReaderBlock, readerBlocksOf } from '../../scripts/shell-blocks.ts';
import { copyTree, type TreeCopy } from '../../scripts/tree-copy.ts';
import { installReaderModules } from '../harness/reader-modules.ts';
import { freePort, removeFolder, temporaryFolder } from '../harness/service.ts';
import { waitUntil } from '../harness/wait-until.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const documentMsMax = 150_000;
const startMsMax = 60_000;

/**
 * The lab sends its load to the service of this test, for a second: what comes of so short a run on a busy machine proves nothing, so each
 * outcome will do that says that there was a run (2 a criterion failed, 3 invalid, 6 not judged). `$START_LAB` starts it.
 */
const shortRuns = `
npm() {
  case "$*" in
    "run lab -- run "*)
      shift 3
      $START_LAB "$@" --target "$SERVICE" --users 5 --spawn-rate 10 --duration 1s || case $? in 2 | 3 | 6) ;; *) return 1 ;; esac ;;
    "run lab -- "*)
      shift 3
      $START_LAB "$@" ;;
    *) command npm "$@" ;;
  esac
}
`;

/** Once as a reader starts it; then without npm and its checks, which take longer than the run. */
const labAsWritten = 'command npm run --silent lab --';
const labAtOnce = 'node packages/lab/src/main.ts';

/** One script of all blocks, because variables of one are used in the next. A server goes to the background until its first line. */
const scriptOf = (document: string, blocks: readonly ReaderBlock[]): string =>
  [
    'set -eu',
    "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT",
    shortRuns,
    ...blocks.map(({ act, line, text }) => {
      const here = `printf '\\n-- %s\\n' ${document}:${line}`;
      if (act === 'run') return `${here}\n${text}`;
      if (act === 'run with Catalytic stopped')
        return `${here}\ntouch "$STOP"; until [ -e "$STOPPED" ]; do sleep 0.1; done\n${text}`;
      if (act !== 'serve') return '';
      const log = `served-${line}.log`;
      // A shell with one command becomes that command, so that the shell's job is the server itself.
      return `${here}\nbash -c '${text.replaceAll("'", "'\\''")}' >${log} 2>&1 &\nuntil [ -s ${log} ]; do sleep 0.1; done`;
    }),
  ].join('\n');

suite('documents', () => {
  let clone: TreeCopy;
  let service: RunningCommand | undefined;
  let url = '';
  const emptyFolder = temporaryFolder();
  const blocksOf = (document: string): ReaderBlock[] => readerBlocksOf(readFileSync(join(root, document), 'utf8'));
  const environment = {
    ...cleanEnvironment(),
    NODE_COMPILE_CACHE: join(root, '.cache', 'compiled'),
    // The lock of measured runs lies there: these runs neither wait for nor disturb another one.
    TMPDIR: emptyFolder,
  };

  before(async () => {
    clone = copyTree(root);
    const [start] = blocksOf('README.md').filter(({ act }) => act === 'serve');
    assert.equal(start?.text, 'npm start\n');
    const log = join(emptyFolder, 'start.log');
    writeFileSync(log, '');
    service = startCommand('bash', ['-c', `${start.text.trim()} >"$LOG" 2>&1`], {
      cwd: clone.path,
      // The issuer names the port.
      env: { ...environment, PORT: String(await freePort()), LOG: log },
      output: 'capture',
    });
    const find = (): string | undefined => /serves on (\S+)/.exec(readFileSync(log, 'utf8'))?.[1];
    await waitUntil('the service', 'start', startMsMax, () => find() !== undefined);
    url = find() ?? '';
    installReaderModules(emptyFolder);
    saveFiles(blocksOf('docs/guides/protect-an-api.md'), emptyFolder);
  });

  after(async () => {
    service?.stop();
    await service?.done;
    clone.remove();
    removeFolder(emptyFolder);
  });

  const saveFiles = (blocks: readonly ReaderBlock[], folder: string): void => {
    for (const { act, text } of blocks) if (typeof act === 'object') writeFileSync(join(folder, act.saveAs), text);
  };

  /** A script asks for the stop of the service with the file `$STOP`, and waits for `$STOPPED`. */
  const stopFile = join(emptyFolder, 'stop');
  const stoppedFile = join(emptyFolder, 'stopped');
  const stopServiceWhenAsked = async (isOver: () => boolean): Promise<void> => {
    while (!isOver() && !existsSync(stopFile)) await delay(50);
    if (!existsSync(stopFile)) return;
    service?.stop();
    await service?.done;
    writeFileSync(stoppedFile, '');
  };

  /** Saves and runs what a document tells its reader to, in a folder. Returns what was printed. */
  const follow = async (document: string, folder: string, lab = labAtOnce): Promise<string> => {
    const blocks = blocksOf(document).filter(({ text }) => text !== 'npm start\n');
    saveFiles(blocks, folder);
    const port = await freePort();
    const script = scriptOf(document, blocks)
      .replaceAll('http://127.0.0.1:8000', url)
      .replaceAll('http://127.0.0.1:3000', `http://127.0.0.1:${port}`)
      .replaceAll('/path/of/the/clone', clone.path);
    const reader = startCommand('bash', ['-c', script], {
      cwd: folder,
      env: {
        ...environment,
        ...{ SERVICE: url, START_LAB: lab, PORT: String(port), STOP: stopFile, STOPPED: stoppedFile },
        CATALYTIC_URL: url,
      },
      output: 'capture',
      timeoutMs: documentMsMax,
    });
    let isOver = false;
    const stopping = stopServiceWhenAsked(() => isOver);
    const { code, output } = await reader.done;
    isOver = true;
    await stopping;
    assert.equal(code, 0, output);
    return output;
  };

  test('every guide with something to do is followed here', () => {
    // A guide whose blocks are all for another place has nothing to follow.
    const guides = readdirSync(join(root, 'docs/guides')).filter((guide) =>
      blocksOf(join('docs/guides', guide)).some(({ act }) => act !== 'read'),
    );
    assert.deepEqual(guides.sort(), ['custom-scenario.md', 'introspection.md', 'load-test.md', 'protect-an-api.md']);
  });

  test('the README: its tour goes as it says', async () => {
    const output = await follow('README.md', clone.path, labAsWritten);
    const statuses = output.match(/^\d{3}$/gm);
    assert.deepEqual(statuses, ['200', '200', '401', '401'], output);
    for (const part of ['"account_id"', '"You are signed in"', '"complete"', '"token_revoked"', '"session_ended"'])
      assert.ok(output.includes(part), `${part} in ${output}`);
    assert.match(output, /ada@example\.com/);
    assert.match(output, /it was ended at \S+ by a sign-out/);
  });

  test('scenarios of your own, and load tests', async () => {
    await follow('docs/guides/custom-scenario.md', clone.path);
    const output = await follow('docs/guides/load-test.md', clone.path);
    assert.match(output, /now-and-before\.html/);
  });

  test('introspection: it shows a live token, and nothing of one that was revoked', async () => {
    const output = await follow('docs/guides/introspection.md', emptyFolder);
    const answers = output.split('\n').filter((line) => line.includes('"active"') || line.includes('"revoked"'));
    assert.match(String(answers[0]), /^\{"active":true,"token_type":"Bearer","iss":/);
    assert.deepEqual(answers.slice(1), ['{"revoked":true,"propagation":"complete"}', '{"active":false}'], output);
  });

  test('protect an API: a CATALYTIC_URL without a scheme stops the API at its start', async () => {
    for (const CATALYTIC_URL of ['127.0.0.1:8000', 'localhost:8000', '']) {
      const env = { ...environment, CATALYTIC_URL, CATALYTIC_GUARD_KEY: 'key', PORT: String(await freePort()) };
      const api = startCommand('node', ['server.mjs'], {
        cwd: emptyFolder,
        env,
        output: 'capture',
        timeoutMs: startMsMax,
      });
      const { code, output } = await api.done;
      assert.notEqual(code, 0, output);
      assert.match(output, /Cannot guard with issuer/);
    }
  });

  // The last one: the guide ends with Catalytic stopped.
  test('protect an API: it answers while the token lives, refuses it once it is dead, and says when nothing is known', async () => {
    const output = await follow('docs/guides/protect-an-api.md', emptyFolder);
    assert.deepEqual(output.match(/^\d{3}$/gm), ['401', '200', '401', '503'], output);
    for (const part of ['"token_missing"', '"water the plants"', '"complete"', '"token_revoked"'])
      assert.ok(output.includes(part), `${part} in ${output}`);
  });
});
