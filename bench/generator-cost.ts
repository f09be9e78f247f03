/**
 * What does one request cost the load generator, by its client and the number of connections?
 * @module
 */
import { runBench } from './harness/bench.ts';
import { askChild, startChild } from './harness/child.ts';
import { median, round, table } from './harness/figures.ts';
import { choices, number, numbers } from './harness/options.ts';
import { dealRounds } from './harness/rounds.ts';
import { type ClientCost, type ClientCostTasks, clientNames } from './loads/client-cost-process.ts';

const help = `What one request costs the generator: CPU time of a process that only sends and reads, against a trivial server in another process.

  npm run bench -- generator-cost [--connections 100,1000,10000] [--clients lab,dispatch,request,http] [--rate 2000] [--seconds 5] [--rounds 3]

lab       the lab's own client over node:net (packages/lab/src/targets/connection.ts)
dispatch  undici, Client.dispatch        request  undici, Client.request        http  node:http, an Agent for each connection

Every connection sends one request, waits for its whole answer and pauses, so that all together send at the rate. Each figure comes from a
process of its own, in random order. Needs as many open files as connections.
`;

const processFile = new URL('loads/client-cost-process.ts', import.meta.url);

await runBench({
  help,
  options: {
    connections: numbers([100, 1000, 10_000], { max: 50_000 }),
    clients: choices(clientNames),
    rate: number(2000, { max: 100_000 }),
    seconds: number(5, { max: 600 }),
    rounds: number(3, { max: 100 }),
  },
  measures: 'times',
  run: async ({ values: { connections: sizes, clients, rate, seconds, rounds } }, stack) => {
    const server = stack.use(startChild<ClientCostTasks>(processFile));
    const origin = await server.ask('serve', undefined);
    const loads = sizes.flatMap((connections) =>
      clients.map((client) => ({ origin, client, connections, rate, seconds })),
    );
    const blocks = await dealRounds(
      Object.fromEntries(
        loads.map((load) => [
          `${load.connections} connections, ${load.client}`,
          () => askChild<ClientCostTasks, 'measure'>(processFile, 'measure', load),
        ]),
      ),
      rounds,
    );
    const results = [...blocks.values()].map((all, index) => {
      const of = (figure: keyof ClientCost): number => median(all.map((each) => each[figure]));
      return {
        client: loads[index]?.client,
        connections: loads[index]?.connections,
        cpuUsPerRequest: round(of('cpuUsPerRequest')),
        requestsPerSecond: round(of('requestsPerSecond'), 0),
        rssMib: round(of('rssMib'), 0),
      };
    });
    return {
      figures: { rate, seconds, results, blocks },
      table: table(
        ['client', 'connections', 'CPU µs/request', 'requests/s', 'resident MiB'],
        results.map((one) => Object.values(one)),
      ),
    };
  },
});
