/**
 * Inspects Redis without changing anything.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { within } from './deadline.ts';
import { connectToPrimary, cut, greet } from './redis-connection.ts';
import type { RedisPlace } from './redis-place.ts';

/** The result of an inspection. */
export interface Redis {
  readonly version: string;
  /** Round trips of test messages, milliseconds, sorted. */
  readonly roundTripsMs: readonly number[];
}

/** Longest round trip of a message, milliseconds. */
const roundTripMsMax = 1000;
const roundTrips = 15;

/**
 * Uses Redis as a process that serves does: connects, subscribes, and publishes to itself.
 * @throws Error that names the step that failed
 */
export const inspectRedis = async (place: RedisPlace): Promise<Redis> => {
  const connection = await connectToPrimary(place);
  try {
    const { version } = await greet(connection);
    const channel = `catalytic:doctor:${randomUUID()}`;
    let hear = (): void => {};
    await within(
      roundTripMsMax,
      'Subscribing',
      connection.subscribe(channel, () => hear()),
    );
    const roundTripsMs: number[] = [];
    for (let count = 0; count < roundTrips; count++) {
      const sentMs = performance.now();
      const heard = new Promise<void>((resolve, reject) => {
        hear = resolve;
        connection.publish(channel, '').catch(reject);
      });
      await within(roundTripMsMax, 'Passing a message on', heard);
      roundTripsMs.push(performance.now() - sentMs);
    }
    return { version, roundTripsMs: roundTripsMs.sort((a, b) => a - b) };
  } finally {
    cut(connection);
  }
};
