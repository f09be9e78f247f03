import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import type { JournalId, TenantId } from '@catalytic/protocol/ids';
import { MessageSeal } from '../secrets/message-seal.ts';
import { type Cursor, readCursor, writeCursor } from './cursor.ts';

const key = randomBytes(32);
const seal = new MessageSeal(key);
const tenant = randomUUID() as TenantId;
const journalId = (): JournalId => randomUUID() as JournalId;

const cursors: readonly Cursor[] = [
  { coverage: { history: randomUUID(), upTo: 0n, id: null, except: [] }, loaded: undefined },
  { coverage: { history: '0'.repeat(32), upTo: 2n ** 63n, id: journalId(), except: [3n, 5n] }, loaded: undefined },
  {
    coverage: { history: randomUUID(), upTo: 7n, id: journalId(), except: [1n] },
    loaded: { place: 5n, id: journalId() },
  },
];

test('a cursor is read as it was written, by every process with the same key', () => {
  for (const cursor of cursors)
    for (const scope of [tenant, null])
      assert.deepEqual(readCursor(new MessageSeal(key), writeCursor(seal, cursor, scope), scope), cursor);
});

test('a cursor of another tenant, of another deployment, or one that was changed, is none', () => {
  for (const cursor of cursors) {
    const text = writeCursor(seal, cursor, tenant);
    for (const scope of [null, randomUUID() as TenantId]) assert.equal(readCursor(seal, text, scope), undefined);
    assert.equal(readCursor(new MessageSeal(randomBytes(32)), text, tenant), undefined);
    for (const changed of ['', '0', text.slice(1), `${text}0`, text.replace(/\.(\d+)\./, '.9$1.')])
      assert.equal(readCursor(seal, changed, tenant), undefined);
  }
  for (const other of ['', 'x', '["hint"]']) assert.equal(readCursor(seal, seal.seal(other), null), undefined);
});
