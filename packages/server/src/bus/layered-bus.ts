/**
 * Combines several buses: the supervisor's inside a machine, Redis between machines.
 * @module
 */
import type { HintBus } from '../features/revocation/hint-bus.ts';

/**
 * Announcements remembered, so that one that arrives over two buses is taken once. Forgetting one
 * costs a redundant acknowledgement.
 */
const heardMax = 10_000;

/** Announces on every bus, and takes each announcement from the bus that delivers it first. */
export const layeredBus = (buses: readonly HintBus[]): HintBus => ({
  announce: (hint) => {
    for (const bus of buses) bus.announce(hint);
  },
  listen: (listener, members) => {
    const heard = new Set<string>();
    const isFirst = (announcement: string): boolean => {
      if (heard.has(announcement)) return false;
      if (heard.size > heardMax) heard.clear();
      heard.add(announcement);
      return true;
    };
    for (const bus of buses)
      bus.listen(
        {
          ...listener,
          onHint: (hint, acknowledgeFor) => isFirst(hint.announcement) && listener.onHint(hint, acknowledgeFor),
        },
        members,
      );
  },
});
