import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { makeCertificate, placeCertificate } from '../../../tests/harness/certificates.ts';
import { folderIn } from '../../../tests/harness/service.ts';
import { waitUntil } from '../../../tests/harness/wait-until.ts';
import { followCertificate } from './follow-certificate.ts';
import { openLog } from './telemetry/log.ts';

test('a renewed pair is taken by itself once both files fit, and not before', async (t) => {
  const folder = folderIn(t);
  const [first, second] = [makeCertificate(), makeCertificate()];
  const settings = placeCertificate(folder, first);
  const files = { certFile: settings.TLS_CERT_FILE, keyFile: settings.TLS_KEY_FILE };
  const followed = followCertificate(files, openLog('silent'), Date.now, 5);
  t.after(() => followed.stop());
  const taken: string[] = [];
  followed.onChange(({ cert }) => taken.push(cert));
  await delay(30);
  assert.deepEqual(taken, [], 'what has not changed is not taken again');

  placeCertificate(folder, { cert: second.cert, key: first.key });
  await delay(50);
  assert.deepEqual(taken, []);
  placeCertificate(folder, second);
  await waitUntil('the new pair', 'come into use', 2000, () => taken.length > 0);
  assert.deepEqual(taken, [second.cert]);
  assert.equal(followed.current.key, second.key);
});
