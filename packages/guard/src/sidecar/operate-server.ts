/**
 * The server for operators: health and metrics, apart from the one that answers any path.
 * @module
 */
import { createServer, type Server } from 'node:http';
import type { Guard } from '../guard.ts';

/** What the server works with. */
export interface OperateServerParts {
  readonly guard: Pick<Guard, 'state' | 'metrics'>;
  readonly isStopping: () => boolean;
  /** Answers of the other server so far, by status. */
  readonly answers: ReadonlyMap<number, number>;
}

const metricsOf = ({ guard, answers }: OperateServerParts): string => {
  const name = 'catalytic_sidecar_answers_total';
  const samples = [...answers].map(([status, count]) => `${name}{status="${status}"} ${count}\n`);
  return `${guard.metrics()}# HELP ${name} Answers to gateways.\n# TYPE ${name} counter\n${samples.join('')}`;
};

/** Makes the server. It does not listen yet. */
export const createOperateServer = (parts: OperateServerParts): Server => {
  const json = (status: number, body: object): [number, string, string] => [
    status,
    'application/json',
    JSON.stringify(body),
  ];
  const answers: Readonly<Record<string, () => [number, string, string]>> = {
    '/-/live': () => json(200, { status: 'live' }),
    '/-/ready': () => {
      const { current, problem } = parts.guard.state;
      if (parts.isStopping()) return json(503, { status: 'stopping' });
      return current ? json(200, { status: 'ready' }) : json(503, { status: 'not current', problem });
    },
    '/-/metrics': () => [200, 'text/plain; version=0.0.4; charset=utf-8', metricsOf(parts)],
  };
  return createServer((request, response) => {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const answer = isRead ? answers[request.url ?? ''] : undefined;
    const [status, type, body] = answer?.() ?? json(404, { status: 'There are /-/live, /-/ready and /-/metrics' });
    response
      .writeHead(status, {
        'content-type': type,
        'content-length': Buffer.byteLength(body),
        'cache-control': 'no-store',
      })
      .end(body);
  });
};
