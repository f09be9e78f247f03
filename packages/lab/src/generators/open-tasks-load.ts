/**
 * The open model of tasks: each begins at its own time, on the first user that is idle.
 * @module
 */
import { startArrivals } from '../arrivals/open-arrivals.ts';
import { randomOf } from '../arrivals/random.ts';
import { stepsOf } from '../arrivals/schedule.ts';
import { UserPool } from '../arrivals/user-pool.ts';
import type { LoadModel } from './load-model.ts';
import { behaviourOf, intendedTimes } from './load-plan.ts';
import { enterAll } from './players.ts';

/** All users enter beforehand. Which task a start is follows from the seed and its number. */
export const openTasks: LoadModel = async ({ options, players, say, interrupted }) => {
  const entered = await enterAll(options, players, say, interrupted);
  return {
    connections: players.connections,
    start: (startMs) => {
      const timesMs = intendedTimes(options);
      const pool = new UserPool(entered);
      const random = randomOf(`${options.seed}/tasks`, 0);
      const step = stepsOf(behaviourOf(options));
      const tasks = Array.from(timesMs, () => step(random).task);
      return startArrivals({
        timesMs,
        available: entered.length === 0 ? 0 : timesMs.length,
        users: entered.length,
        share: options.share,
        startMs,
        hasRoom: () => pool.hasRoom,
        act: (index, intendedAtMs) => pool.lend((player) => player.act(tasks[index] ?? '', intendedAtMs)),
      });
    },
  };
};
