/**
 * The examples, as a reader starts them beside the service.
 */
import assert from 'node:assert/strict';
import { cpSync, globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cleanEnvironment, startCommand } from '../../scripts/run-command.ts';
import { addAdminKey } from '../harness/admin-key.ts';
import { logOut, post, signUp } from '../harness/client.ts';
import { installReaderModules } from '../harness/reader-modules.ts';
import { folderIn, freePort, serviceIn } from '../harness/service.ts';
import { waitUntil } from '../harness/wait-until.ts';

const examples = fileURLToPath(new URL('../../examples', import.meta.url));
// The issuer names the port.
const service = await serviceIn({ after }, { PORT: await freePort() });
const admin = addAdminKey(service.dataDir, ['guard-keys:write']);

suite('examples', () => {
  for (const name of globSync('*/server.mjs', { cwd: examples }).map(dirname))
    test(`${name} serves a live token, refuses it after the sign-out, and leaves in order`, async (t) => {
      const folder = folderIn(t);
      cpSync(join(examples, name), folder, { recursive: true });
      installReaderModules(folder);
      const { body } = await post(`${service.url}/admin/guard-keys`, {}, admin);
      const port = await freePort();
      const api = startCommand(process.execPath, ['server.mjs'], {
        cwd: folder,
        env: {
          ...cleanEnvironment(),
          ...{ CATALYTIC_URL: service.url, CATALYTIC_GUARD_KEY: String(body['key']), PORT: String(port) },
        },
        output: 'capture',
      });
      t.after(() => api.stop());
      const url = `http://127.0.0.1:${port}/notes`;
      const statusOf = async (method: string, token?: string): Promise<number> => {
        const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
        return (await fetch(url, { method, headers, signal: AbortSignal.timeout(5000) }).catch(() => ({ status: 0 })))
          .status;
      };
      await waitUntil('the API', 'start', 20_000, async () => (await statusOf('GET')) === 401);
      const { access } = await signUp(service.url, `${name}@example.com`);
      assert.deepEqual([await statusOf('GET', access), await statusOf('DELETE', access)], [200, 403]);
      assert.equal((await logOut(service.url, access)).status, 200);
      assert.equal(await statusOf('GET', access), 401);
      api.stop();
      const { code, output } = await api.done;
      assert.equal(code, 0, output);
    });
});
