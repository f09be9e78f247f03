import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Hint, HintBus, HintListener } from '../features/revocation/hint-bus.ts';
import { layeredBus } from './layered-bus.ts';

/** A bus that records its announcements. */
const open = () => {
  const announced: Hint[] = [];
  const listeners: HintListener[] = [];
  const bus: HintBus = {
    announce: (hint) => announced.push(hint),
    listen: (listener) => listeners.push(listener),
  };
  return { bus, announced, listeners };
};

const ignore = (): void => {};

const hintOf = (announcement: string): Hint => ({ announcement, entries: [] });

test('a hint goes out on every bus, and one that comes over both is taken and acknowledged once', () => {
  const [one, two] = [open(), open()];
  const bus = layeredBus([one.bus, two.bus]);
  bus.announce(hintOf('a'));
  assert.deepEqual([one.announced, two.announced], [[hintOf('a')], [hintOf('a')]]);

  const taken: string[] = [];
  const acknowledged: string[] = [];
  bus.listen(
    {
      onHint: ({ announcement }) => taken.push(announcement) > 0,
      onAcknowledged: ({ announcement }) => acknowledged.push(announcement),
      onAcknowledgement: ({ announcement }) => acknowledged.push(`from others ${announcement}`),
    },
    () => [],
  );
  const [first, second] = [one.listeners[0] as HintListener, two.listeners[0] as HintListener];
  assert.equal(first.onHint(hintOf('b'), ignore), true);
  assert.equal(second.onHint(hintOf('b'), ignore), false);
  assert.equal(second.onHint(hintOf('c'), ignore), true);
  assert.deepEqual(taken, ['b', 'c']);
  first.onAcknowledged(hintOf('b'));
  second.onAcknowledgement({ announcement: 'd', members: [] });
  assert.deepEqual(acknowledged, ['b', 'from others d']);
});
